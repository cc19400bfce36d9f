"""What the public conversion scripts do: the whole model in memory, by pickle or by Paddle, turned, and saved.

    python public_script.py pickle|paddle torch|safetensors SOURCE OUTPUT

SOURCE is a folder of PaddleNLP's with model_state.pdparams. No checksum, no look for NaN, no reading back; a pickle
runs whatever it holds.
"""

from __future__ import annotations

import os
import pickle
import sys
from typing import Any

import numpy as np


def load(way: str, path: str) -> dict[str, np.ndarray]:
    """Name -> array."""
    if way == "paddle":
        import paddle

        return {name: value.numpy() for name, value in paddle.load(path).items()}
    with open(path, "rb") as file:
        return {name: value for name, value in pickle.load(file).items() if isinstance(value, np.ndarray)}


def turn(name: str, array: np.ndarray) -> np.ndarray:
    """Linear layers lie the other way round in PyTorch."""
    return np.ascontiguousarray(array.T) if array.ndim == 2 and "embeddings" not in name else array


def save(way: str, state: dict[str, Any], folder: str) -> None:
    """Write one file of weights."""
    if way == "safetensors":
        from safetensors.numpy import save_file

        save_file(state, os.path.join(folder, "model.safetensors"), {"format": "pt"})
        return
    import torch

    torch.save(
        {name: torch.from_numpy(array) for name, array in state.items()}, os.path.join(folder, "pytorch_model.bin")
    )


if __name__ == "__main__":
    loaded, saved, source, output = sys.argv[1:]
    os.mkdir(output)
    arrays = load(loaded, os.path.join(source, "model_state.pdparams"))
    save(saved, {name: turn(name, array) for name, array in arrays.items()}, output)
