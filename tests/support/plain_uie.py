"""UIE's weights from Paddle's names to transformers', written by hand: the tests' own copy of what the tables say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

LAYER = {
    "self_attn.q_proj": "attention.self.query",
    "self_attn.k_proj": "attention.self.key",
    "self_attn.v_proj": "attention.self.value",
    "self_attn.out_proj": "attention.output.dense",
    "norm1": "attention.output.LayerNorm",
    "linear1": "intermediate.dense",
    "linear2": "output.dense",
    "norm2": "output.LayerNorm",
}


def torch_name(name: str) -> str:
    """Of a parameter of Paddle's UIE."""
    found = re.fullmatch(r"ernie\.encoder\.layers\.(\d+)\.(.+)\.(weight|bias)", name)
    if found:
        return f"ernie.encoder.layer.{found[1]}.{LAYER[found[2]]}.{found[3]}"
    return name.replace("embeddings.layer_norm", "embeddings.LayerNorm")


def torch_state(weights: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Paddle keeps a linear weight as [in, out]."""
    import torch

    return {
        torch_name(name): torch.tensor(np.ascontiguousarray(value.T))
        if value.ndim == 2 and "embeddings" not in name
        else torch.tensor(value)
        for name, value in weights.items()
    }
