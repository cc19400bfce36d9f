"""What PaddleNLP's UIE computes: tiny models, every kind of input, in float64, written as one .npz.

    python uie_numbers.py OUTPUT.npz

Run by the reference interpreter (Paddle 3.3.1, PaddleNLP 2.8.1). Keys are "MODEL/weight/NAME", "MODEL/config",
"MODEL/CASE/input/NAME", "MODEL/CASE/output/NAME" and "MODEL/CASE/gradient/NAME".
"""

from __future__ import annotations

import json
import sys

import numpy as np
import paddle
from paddlenlp.transformers import UIE, ErnieConfig

paddle.set_default_dtype("float64")
RANDOM = np.random.default_rng(7)
PAD, VOCAB, HIDDEN = 0, 40, 16
SIZES = {
    "vocab_size": VOCAB,
    "hidden_size": HIDDEN,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 24,
    "max_position_embeddings": 20,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
MODELS = {
    "tasks": {"type_vocab_size": 4, "use_task_id": True, "task_type_vocab_size": 3, "hidden_act": "gelu"},
    "relu": {"type_vocab_size": 2, "use_task_id": False, "hidden_act": "relu"},
}


def text(padding: int = 0) -> np.ndarray:
    """Ids [2, 9] without [PAD], but for the last of the second row."""
    ids = RANDOM.integers(1, VOCAB, size=(2, 9))
    ids[1, 9 - padding :] = PAD
    return ids


def cases(model: UIE) -> dict[str, dict[str, np.ndarray]]:
    padded = text(4)
    shown = (padded != PAD).astype("int64")
    types = np.repeat([[0] * 4 + [1] * 5], 2, axis=0)
    positions = np.where(shown == 1, np.arange(9), 0)
    more = shown.copy()
    more[1, 5] = 1
    table = model.ernie.embeddings.word_embeddings.weight.numpy()
    return {
        "nothing but ids": {"input_ids": text()},
        "as Taskflow": {
            "input_ids": padded,
            "token_type_ids": types * shown,
            "position_ids": positions,
            "attention_mask": shown,
        },
        "padding without a mask": {"input_ids": padded, "token_type_ids": types},
        "a mask that shows a padding": {"input_ids": padded, "attention_mask": more},
        "a mask with holes": {"input_ids": text(), "attention_mask": RANDOM.integers(0, 2, size=(2, 9)) | (types == 0)},
        "other positions": {"input_ids": text(), "position_ids": RANDOM.integers(0, 20, size=(2, 9))},
        "embeddings": {"inputs_embeds": table[padded], "attention_mask": shown},
        "the longest": {"input_ids": RANDOM.integers(1, VOCAB, size=(1, 20))},
    }


def main() -> None:
    arrays: dict[str, np.ndarray] = {}
    for name, fields in MODELS.items():
        model = UIE(ErnieConfig(**SIZES, **fields))
        model.eval()
        for key, parameter in model.named_parameters():
            value = RANDOM.normal(size=parameter.shape) * 0.4 + ("norm" in key and key.endswith("weight"))
            parameter.set_value(value)
            arrays[f"{name}/weight/{key}"] = value
        arrays[f"{name}/config"] = np.array(json.dumps({**SIZES, **fields}))
        for case, inputs in cases(model).items():
            record(arrays, f"{name}/{case}", model, inputs)
    np.savez(sys.argv[1], **arrays)


def record(arrays: dict[str, np.ndarray], place: str, model: UIE, inputs: dict[str, np.ndarray]) -> None:
    """The probabilities, every hidden state, the loss of PaddleNLP's fine-tuning and its gradients."""
    given = {name: paddle.to_tensor(value) for name, value in inputs.items()}
    arrays.update({f"{place}/input/{name}": value for name, value in inputs.items()})
    states = model.ernie(**given, output_hidden_states=True, return_dict=True).hidden_states
    arrays.update({f"{place}/output/hidden_states.{number}": state.numpy() for number, state in enumerate(states)})
    start, end = model(**given)
    targets = RANDOM.integers(0, 2, size=(2, *start.shape)).astype("float64")
    arrays[f"{place}/input/start_positions"], arrays[f"{place}/input/end_positions"] = targets
    criterion = paddle.nn.BCELoss()
    loss = (criterion(start, paddle.to_tensor(targets[0])) + criterion(end, paddle.to_tensor(targets[1]))) / 2
    loss.backward()
    for name, value in (("start_prob", start), ("end_prob", end), ("loss", loss)):
        arrays[f"{place}/output/{name}"] = value.numpy()
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            arrays[f"{place}/gradient/{name}"] = parameter.grad.numpy()
    model.clear_gradients(set_to_zero=False)


if __name__ == "__main__":
    main()
