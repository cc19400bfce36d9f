"""What PaddleNLP's Taskflow("information_extraction") answers, with a tiny UIE or UIE-M.

Run by the reference interpreter:

    python taskflow_answers.py REQUEST.json ANSWER.json

`folder` in the request holds a tokenizer; a `class` (UIE or UIEM) with sensitive random weights, `vocab_size` rows and
`seed` is saved there as PaddleNLP saves it, tokenizer_config.json included. `calls` is a list of {"schema", "texts",
"options"} and the name of a `model` that Taskflow is to take it for, answered in order, in float64.

Two things of Taskflow are replaced. Its predictor: Taskflow writes a .pdmodel and reads it again, and Paddle 3.3.1
writes another format, so the dygraph model itself answers. And the order of what a window holds, where Taskflow goes
through a set of floats: here the most probable is first (of several options Taskflow takes whichever the set gives),
and answers are asked about in the order of the text.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import paddle
from paddlenlp.taskflow import information_extraction, task
from paddlenlp.transformers import UIE, UIEM, ErnieConfig, ErnieMConfig, ErnieMTokenizer, ErnieTokenizer
from paddlenlp.utils.log import logger

paddle.set_default_dtype("float64")
SIZES = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 2}
KINDS = {
    "UIEM": (UIEM, ErnieMConfig(**SIZES), ErnieMTokenizer),
    "UIE": (
        UIE,
        ErnieConfig(**SIZES, intermediate_size=32, type_vocab_size=4, use_task_id=True, max_position_embeddings=512),
        ErnieTokenizer,
    ),
}


def make_model(folder: Path, kind: str, vocab_size: int, seed: int, texts: list[str]) -> paddle.nn.Layer:
    """A model of float64 with float32 numbers, saved in float32. A fifth of the tokens starts something."""
    random = np.random.default_rng(seed)
    model_class, config, tokenizer_class = KINDS[kind]
    config.vocab_size = vocab_size
    model = model_class(config)
    for name, parameter in model.named_parameters():
        size = 1.0 if "embeddings.weight" in name else 1.8 / np.sqrt(parameter.shape[0])
        set_weights(
            parameter, random.normal(size=parameter.shape) * size + ("norm" in name and name.endswith("weight"))
        )
    model.eval()
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": tokenizer_class.__name__}), "utf-8")
    tokenizer = tokenizer_class.from_pretrained(str(folder))
    # UIE's text has a token type of its own behind a prompt.
    rows = [tokenizer(text) if kind == "UIEM" else tokenizer("时间", text) for text in texts]
    inputs = [{name: paddle.to_tensor([values]) for name, values in row.items()} for row in rows]
    found = [[probabilities.numpy().ravel() for probabilities in model(**row)] for row in inputs]
    for layer, probabilities in zip((model.linear_start, model.linear_end), map(np.concatenate, zip(*found))):
        limit = np.quantile(np.log(probabilities / (1 - probabilities)), 0.8)
        set_weights(layer.bias, layer.bias.numpy() - limit)
    state = {name: paddle.to_tensor(weights.numpy().astype("float32")) for name, weights in model.named_parameters()}
    paddle.save(state, str(folder / "model_state.pdparams"))
    config.architectures = [kind]
    config.save_pretrained(str(folder))
    return model


def set_weights(parameter: paddle.Tensor, value: np.ndarray) -> None:
    parameter.set_value(value.astype("float32").astype("float64"))


class Dygraph:
    """Stands where Taskflow has an onnxruntime session."""

    def __init__(self, model: paddle.nn.Layer) -> None:
        self.model = model

    def run(self, _: None, inputs: dict) -> list:
        with paddle.no_grad():
            found = self.model(**{name: paddle.to_tensor(value) for name, value in inputs.items()})
        return [probabilities.numpy() for probabilities in found]


class Task(information_extraction.UIETask):
    dygraph: paddle.nn.Layer

    def _get_inference_model(self) -> None:
        self._predictor_type, self.predictor = "onnxruntime", Dygraph(self.dygraph)

    def _check_task_files(self) -> None:
        """All files are there; Taskflow would fetch those that a tiny tokenizer lacks."""

    def _auto_joiner(self, *arguments: object) -> list:
        def place(found: dict) -> tuple:
            return found.get("start", -1), found.get("end", -1), found["text"]

        return [sorted(found, key=place) for found in super()._auto_joiner(*arguments)]


def most_probable_first(*arguments: object, **options: object) -> list:
    return sorted(get_span(*arguments, **options), key=lambda span: (-span[0][1] * span[1][1], span))


get_span = information_extraction.get_span
information_extraction.get_span = most_probable_first
task.download_check = lambda _: None

if __name__ == "__main__":
    logger.disable()
    request_path, answer_path = map(Path, sys.argv[1:])
    request = json.loads(request_path.read_text("utf-8"))
    folder = Path(request["folder"])
    Task.dygraph = make_model(
        folder, request["class"], request["vocab_size"], request["seed"], request["calls"][0]["texts"]
    )
    answers = []
    for call in request["calls"]:
        taskflow = Task(
            "information_extraction", call["model"], call["schema"], task_path=str(folder), **call["options"]
        )
        answers.append(taskflow((call["texts"],)))  # as Taskflow.__call__ hands its arguments on
    answer_path.write_text(json.dumps(answers), "utf-8")
