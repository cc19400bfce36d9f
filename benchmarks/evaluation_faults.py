"""Faults that are planted into a copy of a converted ERNIE-M, for benchmarks/evaluation_evidence.py."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

Change = Callable[[Path], None]


@contextmanager
def planted(fault: Change, output: Path, scratch: Path) -> Iterator[Path]:
    """OUTPUT with a fault. What is not changed is a link."""
    folder = scratch / "broken"
    shutil.copytree(output, folder, copy_function=os.link)
    try:
        fault(folder)
        yield folder
    finally:
        shutil.rmtree(folder)


def change_tensor(name: str, change: Callable[[np.ndarray], np.ndarray]) -> Change:
    """A fault in the one tensor of OUTPUT whose name ends so."""

    def plant(output: Path) -> None:
        path = output / "model.safetensors"
        tensors = load_file(path)
        (found,) = (each for each in tensors if each.endswith(name))
        tensors[found] = np.ascontiguousarray(change(tensors[found]))
        path.unlink()  # A link to the sound one.
        save_file(tensors, path, metadata={"format": "pt"})

    return plant


def exchange_heads(weight: np.ndarray) -> np.ndarray:
    """The first two of four heads in each other's place: [H, H], outputs first."""
    first, second, *others = np.split(weight, 4)
    return np.concatenate([second, first, *others])


def change_epsilon(value: float) -> Change:
    def plant(output: Path) -> None:
        path = output / "config.json"
        config = json.loads(path.read_text(encoding="utf-8"))
        assert config["layer_norm_eps"] != value
        path.unlink()
        path.write_text(json.dumps({**config, "layer_norm_eps": value}), encoding="utf-8")

    return plant


def exchange_tokens(output: Path) -> None:
    """Two frequent pieces have each other's ids."""
    path = output / "vocab.txt"
    lines = path.read_text(encoding="utf-8").split("\n")
    one, other = lines.index("e"), lines.index("en")
    lines[one], lines[other] = lines[other], lines[one]
    path.unlink()
    path.write_text("\n".join(lines), encoding="utf-8")


_ATTENTION = "layers.1.self_attn.self_attn"
FAULTS: dict[str, Change] = {
    "one weight transposed (v of layer 1)": change_tensor(f"{_ATTENTION}.v_proj.weight", np.transpose),
    "two heads exchanged (q of layer 1)": change_tensor(f"{_ATTENTION}.q_proj.weight", exchange_heads),
    "epsilon 1e-12 in place of 1e-5": change_epsilon(1e-12),
    "epsilon 1e-2 in place of 1e-5": change_epsilon(1e-2),
}
