"""Load the folders that `to-paddle` wrote with PaddleNLP's own classes: `python load_back.py FOLDER`.

FOLDER has a folder for each, `back/NAME`, and the checkpoint that it should equal, `source/NAME`, if there is one.
FOLDER/loaded.json gets what PaddleNLP reports of each, and which tensors have other bits than the checkpoint's. Where
back/NAME/inputs.npz is, outputs.npz gets what PaddleNLP computes from it in float64.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import paddlenlp.transformers as nlp
from paddlenlp.transformers import model_utils
from paddlenlp.transformers.electra import modeling as electra

FOUND: dict[str, Any] = {}
LOAD = model_utils.PretrainedModel._load_pretrained_model.__func__


def load_and_note(cls: Any, *arguments: Any, **options: Any) -> Any:
    """The missing, unexpected and mismatched keys are what PaddleNLP otherwise only logs."""
    model, missing, unexpected, mismatched = LOAD(cls, *arguments, **options)
    FOUND.update(missing=sorted(missing), unexpected=sorted(unexpected), mismatched=sorted(mismatched))
    return model, missing, unexpected, mismatched


def compare(model: Any, source: Path) -> list[str]:
    """Names of tensors of the checkpoint that the model has with other bits, or not at all."""
    loaded = model.state_dict()
    stored = paddle.load(str(source / "model_state.pdparams"))
    return [
        name
        for name, value in stored.items()
        if name not in loaded or np.asarray(value).tobytes() != loaded[name].numpy().tobytes()
    ]


def compute(cls: Any, folder: Path) -> None:
    model = cls.from_pretrained(str(folder), dtype="float64")
    model.eval()
    with np.load(folder / "inputs.npz") as file:
        inputs = {name: paddle.to_tensor(file[name]) for name in file.files}
    outputs = model(**inputs)
    outputs = outputs if isinstance(outputs, (tuple, list)) else [outputs]
    assert {value.dtype for value in outputs} == {paddle.float64}
    np.savez(folder / "outputs.npz", *[value.numpy() for value in outputs])


def main(root: Path) -> None:
    model_utils.PretrainedModel._load_pretrained_model = classmethod(load_and_note)
    results = {}
    for folder in sorted((root / "back").iterdir()):
        name = json.loads((folder / "config.json").read_text())["architectures"][0]
        cls = getattr(nlp, name, None) or getattr(electra, name)
        model = cls.from_pretrained(str(folder))
        results[folder.name] = {"class": type(model).__name__, **FOUND}
        if (root / "source" / folder.name).is_dir():
            results[folder.name]["differ"] = compare(model, root / "source" / folder.name)
        if (folder / "vocab.txt").is_file():
            tokenizer = nlp.AutoTokenizer.from_pretrained(str(folder))
            results[folder.name]["ids"] = tokenizer("a lamp 22\u00b0C [MASK]")["input_ids"]
            results[folder.name]["tokenizer"] = type(tokenizer).__name__
        results[folder.name]["choices"] = getattr(model, "num_choices", None)
        if (folder / "inputs.npz").is_file():
            compute(cls, folder)
    (root / "loaded.json").write_text(json.dumps(results))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
