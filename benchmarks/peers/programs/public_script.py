"""What the public conversion scripts do: the whole model in memory, by pickle or by Paddle, renamed, turned, and saved.

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


#: ERNIE's names in PaddleNLP and in transformers; what no entry fits keeps its name, as ERNIE-M's do. Written out here,
#: as those scripts have it: this program runs in an environment without the project.
RENAMED = {
    "encoder.layers.": "encoder.layer.",
    "self_attn.q_proj": "attention.self.query",
    "self_attn.k_proj": "attention.self.key",
    "self_attn.v_proj": "attention.self.value",
    "self_attn.out_proj": "attention.output.dense",
    "norm1": "attention.output.LayerNorm",
    "linear1": "intermediate.dense",
    "linear2": "output.dense",
    "norm2": "output.LayerNorm",
    "layer_norm": "LayerNorm",
}


def rename(name: str) -> str:
    """The name in transformers."""
    for source, target in RENAMED.items():
        name = name.replace(source, target)
    return name


def turn(name: str, array: np.ndarray) -> np.ndarray:
    """Linear layers lie the other way round in PyTorch; tables of words do not."""
    table = "embeddings" in name or "decoder" in name
    return np.ascontiguousarray(array.T) if array.ndim == 2 and not table else array


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
    save(saved, {rename(name): turn(name, array) for name, array in arrays.items()}, output)
