"""Folders as PaddleNLP and its users save them, and what its own default load gives: `python saved_variants.py FOLDER`.

Runs in the reference interpreter. Every variant is a folder FOLDER/NAME/ with a tiny model of sensitive weights.
FOLDER/facts.json has for each the class, the dtypes of its parameters after `Class.from_pretrained(folder)`, the labels
and the classifier's dropout; FOLDER/outputs.npz what it computes, "NAME/default/OUTPUT", and what it computes when
float32 is asked for, "NAME/float32/OUTPUT". Paddle's CPU kernels have no half precision: there the outputs by default
are those of the same parameters, cast to float32 after they were loaded.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import paddle
from paddlenlp.transformers import ErnieMConfig
from paddlenlp.transformers.ernie_m import modeling
from paddlenlp.utils.log import logger

logger.set_level("ERROR")
RANDOM = np.random.default_rng(20121547)
SIZES = {
    "vocab_size": 60,
    "hidden_size": 16,
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "max_position_embeddings": 30,
}
IDS = np.array([[0, 5, 6, 7, 8, 9, 2], [0, 10, 11, 2, 1, 1, 1]], np.int64)
BASE, SEQUENCE, TOKEN, ANSWER, CHOICE, SPANS = (
    "ErnieMModel",
    "ErnieMForSequenceClassification",
    "ErnieMForTokenClassification",
    "ErnieMForQuestionAnswering",
    "ErnieMForMultipleChoice",
    "UIEM",
)
#: Changes a config.json; ABSENT takes a field out.
ABSENT = object()
NO_NAMES = {"id2label": ABSENT, "label2id": ABSENT}
NUMBERS = {"id2label": {"0": 0, "1": 1, "2": 2}, "label2id": {"0": 0, "1": 1, "2": 2}}


def build(class_name: str, labels: int = 3) -> Any:
    """Attention far from uniform, random biases and norms: a rounded norm or a dropped bias moves the outputs."""
    more: dict[str, int] = {} if class_name in (BASE, SPANS, ANSWER) else {"num_labels": labels}
    more.update({"num_choices": 2} if class_name == CHOICE else {})
    model = getattr(modeling, class_name)(ErnieMConfig(**SIZES, **more))
    for key, parameter in model.named_parameters():
        value = RANDOM.normal(size=parameter.shape)
        if parameter.ndim == 2 and "embeddings" not in key:
            value *= (1.8 if "q_proj" in key or "k_proj" in key else 1.0) / np.sqrt(parameter.shape[0])
        elif parameter.ndim == 1:
            value = 1.0 + 0.3 * value if "norm" in key and key.endswith("weight") else 0.5 * value
        parameter.set_value(paddle.to_tensor(value, dtype=parameter.dtype))
    return model


def cast(model: Any, dtype: str, but_norms: bool = False) -> dict[str, Any]:
    """The state as AMP leaves it: everything in `dtype`, with `but_norms` (level O2) except the norms."""
    state = model.state_dict()
    return {key: value if but_norms and "norm" in key else value.astype(dtype) for key, value in state.items()}


def save(folder: Path, model: Any, state: dict[str, Any] | None = None, change: Any = None, **options: Any) -> None:
    """By save_pretrained, with other tensors and another config.json where they are given."""
    model.save_pretrained(str(folder), **({} if state is None else {"state_dict": state}), **options)
    path = folder / "config.json"
    config = {**json.loads(path.read_text(encoding="utf-8")), **(change or {})}
    config = {key: value for key, value in config.items() if value is not ABSENT}
    path.write_text(json.dumps(config), encoding="utf-8")


def half(class_name: str, dtype: str, but_norms: bool = False, change: Any = None, **options: Any) -> Any:
    def make(folder: Path) -> None:
        model = build(class_name)
        save(folder, model, cast(model, dtype, but_norms), change, **options)

    return make


def plain(class_name: str, change: Any = None, labels: int = 3, **options: Any) -> Any:
    return lambda folder: save(folder, build(class_name, labels), None, change, **options)


def whole(class_name: str, dtype: str) -> Any:
    """The whole model cast, so that save_pretrained names its dtype in config.json."""

    def make(folder: Path) -> None:
        model = build(class_name)
        model.to(dtype=dtype)
        save(folder, model)

    return make


def old_style(folder: Path) -> None:
    """model_config.json of PaddleNLP before 2.5, next to half weights."""
    model = build(SEQUENCE)
    folder.mkdir()
    paddle.save(cast(model, "float16"), str(folder / "model_state.pdparams"))
    call = {"init_args": [{**SIZES, "init_class": BASE}], "num_classes": 3, "dropout": 0.4, "init_class": SEQUENCE}
    (folder / "model_config.json").write_text(json.dumps(call), encoding="utf-8")


VARIANTS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "plain": (BASE, plain(BASE)),
    "float16, no dtype": (SEQUENCE, half(SEQUENCE, "float16")),
    "float16, norms in float32, no dtype": (SEQUENCE, half(SEQUENCE, "float16", True)),
    "bfloat16, norms in float32, no dtype": (TOKEN, half(TOKEN, "bfloat16", True)),
    "float16, norms in float32, dtype null": (ANSWER, half(ANSWER, "float16", True, {"dtype": None})),
    "float16, norms in float32, dtype float16": (CHOICE, half(CHOICE, "float16", True, {"dtype": "float16"})),
    "float16 as saved": (SEQUENCE, whole(SEQUENCE, "float16")),
    "bfloat16 as saved": (ANSWER, whole(ANSWER, "bfloat16")),
    "float64 as saved": (TOKEN, whole(TOKEN, "float64")),
    "float64, no dtype": (BASE, half(BASE, "float64")),
    "float16, dtype float32": (SPANS, half(SPANS, "float16", False, {"dtype": "float32"})),
    "float16, dtype bfloat16": (SPANS, half(SPANS, "float16", False, {"dtype": "bfloat16"})),
    "float32, torch_dtype float16": (SEQUENCE, plain(SEQUENCE, {"torch_dtype": "float16"})),
    "two dtypes": (SEQUENCE, half(SEQUENCE, "float16", False, {"torch_dtype": "float16", "dtype": "float32"})),
    "num_classes": (SEQUENCE, plain(SEQUENCE, {**NO_NAMES, "num_classes": 5}, 5)),
    "num_classes and num_labels": (TOKEN, plain(TOKEN, {**NO_NAMES, "num_classes": 3, "num_labels": 2})),
    "names that are numbers": (SEQUENCE, plain(SEQUENCE, NUMBERS)),
    "ids as texts": (TOKEN, plain(TOKEN, {"id2label": {"2": "c", "00": "a", "1": "b"}, "label2id": ABSENT})),
    "two labels": (SEQUENCE, plain(SEQUENCE, None, 2)),
    "dropout and classifier_dropout": (SEQUENCE, plain(SEQUENCE, {"dropout": 0.5, "classifier_dropout": 0.2})),
    "dropout of nothing": (TOKEN, plain(TOKEN, {"dropout": 0.0})),
    "fields that nobody reads": (BASE, plain(BASE, {"layer_norm_eps": 0.1, "hidden_activation": "relu"})),
    "problem_type": (SEQUENCE, plain(SEQUENCE, {"problem_type": "multi_label_classification"})),
    "shards": (SEQUENCE, half(SEQUENCE, "float16", True, None, max_shard_size="4KB")),
    "safetensors": (CHOICE, plain(CHOICE, None, 3, safe_serialization=True)),
    "safetensors in shards": (BASE, half(BASE, "bfloat16", True, None, safe_serialization=True, max_shard_size="4KB")),
    "model_config.json": (SEQUENCE, old_style),
}


def outputs_of(model: Any, class_name: str) -> dict[str, np.ndarray]:
    ids = IDS[None] if class_name == CHOICE else IDS
    found = model(paddle.to_tensor(ids))
    values = found if isinstance(found, (tuple, list)) else [found]
    names = {BASE: ("last_hidden_state", "pooler_output"), ANSWER: ("start_logits", "end_logits")}
    names[SPANS] = ("start_prob", "end_prob")
    return {name: value.numpy() for name, value in zip(names.get(class_name, ("logits",)), values)}


def load(folder: Path, class_name: str, **options: Any) -> Any:
    return getattr(modeling, class_name).from_pretrained(str(folder), **options).eval()


def main(folder: Path) -> None:
    facts, arrays = {}, {}
    for number, (name, (class_name, make)) in enumerate(VARIANTS.items()):
        path = folder / f"variant{number:02}"
        make(path)
        # What is loaded by default is looked at in a copy: PaddleNLP may write into the folder that it loads.
        shutil.copytree(path, folder / "copy")
        model, single = load(folder / "copy", class_name), load(folder / "copy", class_name, dtype="float32")
        shutil.rmtree(folder / "copy")
        dtypes = sorted({str(parameter.dtype).partition(".")[2] for parameter in model.parameters()})
        if dtypes[0] in ("float16", "bfloat16"):
            state = {key: value.astype("float32") for key, value in model.state_dict().items()}
            wide = load(path, class_name, dtype="float32")
            wide.set_state_dict(state)
        else:
            wide = model
        for kind, of_kind in (("default", wide), ("float32", single)):
            for output, value in outputs_of(of_kind, class_name).items():
                arrays[f"{path.name}/{kind}/{output}"] = value
        names = [str(label) for _, label in sorted(model.config.id2label.items())]
        dropout = model.config.classifier_dropout
        facts[path.name] = {"name": name, "class": class_name, "dtypes": dtypes, "labels": names, "dropout": dropout}
    np.savez(folder / "outputs.npz", ids=IDS, **arrays)
    (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
