"""Folders of transformers 4's own ErnieM as it saved them, edited ones, and the traces that one Paddle makes of all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from verify.protocol.request import Request
from verify.reference.bundle_recorder import RECORDER, write_recorder

HEAD, EXTRACTION = "ErnieMForSequenceClassification", "ErnieMForInformationExtraction"
CLASSES = (
    "ErnieMModel",
    HEAD,
    "ErnieMForMultipleChoice",
    "ErnieMForTokenClassification",
    "ErnieMForQuestionAnswering",
    EXTRACTION,
)
FORMS = ("bin", "safetensors-shards", "bin-shards")
#: A config unlike any other: what of it numbers do not show must be compared by name.
FIELDS = {"act_dropout": None, "layer_norm_eps": 1e-6, "classifier_dropout": 0.5, "pad_token_id": 3}


def edit_config(folder: Path, **fields: Any) -> Path:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **fields}))
    return folder


def edit_weights(folder: Path, change: Callable[[dict[str, np.ndarray]], None]) -> Path:
    from safetensors.numpy import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file({name: np.ascontiguousarray(array) for name, array in weights.items()}, folder / "model.safetensors")
    return folder


def take_out(*names: str) -> Callable[[dict[str, np.ndarray]], None]:
    """A change of weights: without these."""

    def change(weights: dict[str, np.ndarray]) -> None:
        for name in names:
            del weights[name]

    return change


def turn(name: str) -> Callable[[dict[str, np.ndarray]], None]:
    """A change of weights: this matrix transposed."""
    return lambda weights: weights.update({name: weights[name].T})


def add_rows(folder: Path, rows: int) -> None:
    """Lengthen the table of words of a `pytorch_model.bin`, so that a tokenizer with more tokens can be its own."""
    import torch

    weights = torch.load(folder / "pytorch_model.bin", weights_only=True)
    (name,) = [name for name in weights if name.endswith("word_embeddings.weight")]
    weights[name] = weights[name][torch.arange(rows) % len(weights[name])].clone()
    torch.save(weights, folder / "pytorch_model.bin")
    edit_config(folder, vocab_size=rows)


def edit_folders(root: Path, tokenizer: Path) -> dict[str, Path]:
    """name -> a folder: the classes and forms in `root`, one of them given a tokenizer, and edited copies."""
    found = {name: root / name for name in (*CLASSES, *FORMS)}
    for file in ("vocab.txt", "sentencepiece.bpe.model"):
        shutil.copy(tokenizer / file, root / "bin" / file)
    add_rows(root / "bin", len((tokenizer / "vocab.txt").read_text(encoding="utf-8").splitlines()))

    def copy(name: str, source: str = HEAD) -> Path:
        found[name] = shutil.copytree(root / source, root / name)
        return found[name]

    edit_config(copy("fields"), **FIELDS)
    pooler = ("pooler.dense.weight", "pooler.dense.bias")
    edit_weights(copy("bare", "ErnieMModel"), take_out(*pooler))
    edit_weights(copy("no pooler"), take_out(*("ernie_m." + name for name in pooler)))
    edit_weights(copy("lost"), take_out("ernie_m.pooler.dense.bias", "ernie_m.embeddings.layer_norm.weight"))
    edit_weights(copy("turned"), turn("ernie_m.encoder.layers.1.linear2.weight"))
    edit_weights(copy("more"), lambda weights: weights.update({"other_head.weight": np.ones(3, np.float32)}))
    return found


class Recordings:
    """Traces of folders, or why they were refused, and how far the recorder's model is from what the port computed."""

    def __init__(self, folder: Path, sources: dict[str, Path], run_paddle: Callable[..., None]) -> None:
        self.folder, self.sources = folder, sources
        self.jobs: dict[str, dict[str, Any]] = {}
        for name in (*CLASSES, "fields", "bare", "no pooler", "more"):
            self._add(name, name, numbers=name in CLASSES)
        self._add("paddlenlp", "ErnieMModel", behavior="paddlenlp")
        for name in (*FORMS, "lost", "turned"):
            self._add(name, name, output=False)
        write_recorder(folder / RECORDER)
        (folder / "jobs.json").write_text(json.dumps(list(self.jobs.values())))
        run_paddle("port_recordings.py", folder / RECORDER, folder / "jobs.json", folder / "results.json")
        self.results = dict(zip(self.jobs, json.loads((folder / "results.json").read_text())))

    def _add(
        self, name: str, source: str, numbers: bool = True, output: bool = True, behavior: str | None = None
    ) -> None:
        request = {
            "source": str(self.sources[source]),
            "files": None,
            "precision": "float64",
            "seed": Request.seed,
            "behavior": behavior,
            "output": str(self.folder / f"{name}.trace") if output else "",
        }
        of = self.sources[source if source in CLASSES else HEAD]
        self.jobs[name] = {"request": request, "numbers": str(of / "numbers.npz") if numbers else None}

    def trace(self, name: str) -> Path:
        """Where the trace is."""
        assert self.results[name]["refused"] == ""
        return self.folder / f"{name}.trace"
