"""ERNIE-M in plain numpy, written from MODEL.md's description: the source of the sanity model's shipped numbers.

python -m tests.support.plain_ernie_m        writes verify/recorder/families/ernie_m/sanity_numbers.json
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from verify.recorder.families.ernie_m.adapter import SANITY
from verify.recorder.sanity import sanity_values

NUMBERS = Path(__file__).parents[2] / "verify" / "recorder" / "families" / "ernie_m" / "sanity_numbers.json"
EPSILON = float(np.float32(1e-5))
Weights = Mapping[str, np.ndarray]


def sanity_shapes(fields: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """PaddleNLP's names and shapes for the model without a head."""
    hidden = fields["hidden_size"]
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (fields["vocab_size"], hidden),
        "embeddings.position_embeddings.weight": (fields["max_position_embeddings"], hidden),
    }
    norms = ["embeddings.layer_norm"]
    linears = {"pooler.dense": (hidden, hidden)}
    for number in range(fields["num_hidden_layers"]):
        layer = f"encoder.layers.{number}."
        norms += [layer + "norm1", layer + "norm2"]
        linears.update({f"{layer}self_attn.{part}_proj": (hidden, hidden) for part in ("q", "k", "v", "out")})
        wide = fields.get("intermediate_size", 4 * hidden)
        linears.update({layer + "linear1": (hidden, wide), layer + "linear2": (wide, hidden)})
    for name in norms:
        shapes.update({f"{name}.weight": (hidden,), f"{name}.bias": (hidden,)})
    for name, shape in linears.items():
        shapes.update({f"{name}.weight": shape, f"{name}.bias": shape[1:]})
    return shapes


def norm(x: np.ndarray, weights: Weights, name: str, epsilon: float = EPSILON) -> np.ndarray:
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + epsilon)
    return np.asarray(scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"])


def linear(x: np.ndarray, weights: Weights, name: str) -> np.ndarray:
    return np.asarray(x @ weights[f"{name}.weight"] + weights[f"{name}.bias"])


def gelu(x: np.ndarray) -> np.ndarray:
    return np.asarray(x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2))))


def attend(x: np.ndarray, weights: Weights, layer: str, heads: int, added: np.ndarray) -> np.ndarray:
    batch, length, hidden = x.shape
    q, k, v = (
        linear(x, weights, f"{layer}self_attn.{part}_proj").reshape(batch, length, heads, -1).transpose(0, 2, 1, 3)
        for part in "qkv"
    )
    scores = q @ k.transpose(0, 1, 3, 2) / math.sqrt(hidden // heads) + added
    scores = np.exp(scores - scores.max(-1, keepdims=True))
    seen = (scores / scores.sum(-1, keepdims=True)) @ v
    return linear(seen.transpose(0, 2, 1, 3).reshape(x.shape), weights, f"{layer}self_attn.out_proj")


def compute(weights: Weights, ids: np.ndarray, mask: np.ndarray, heads: int) -> dict[str, np.ndarray]:
    """Embeddings, last hidden state [B, S, H] and pooled output [B, H] of ids [B, S]; mask 1 = attend."""
    words = weights["embeddings.word_embeddings.weight"][ids]
    positions = weights["embeddings.position_embeddings.weight"][np.arange(ids.shape[1]) + 2]
    return compute_layers(words + positions, weights, mask, heads, EPSILON)


def compute_layers(
    summed: np.ndarray, weights: Weights, mask: np.ndarray, heads: int, epsilon: float
) -> dict[str, np.ndarray]:
    """The same from the sum of the embeddings [B, S, H]."""
    x = embedded = norm(summed, weights, "embeddings.layer_norm", epsilon)
    added = (1.0 - mask[:, None, None, :]) * -1e4
    layers = len({name.split(".")[2] for name in weights if name.startswith("encoder.layers.")})
    for number in range(layers):
        layer = f"encoder.layers.{number}."
        x = norm(x + attend(x, weights, layer, heads, added), weights, layer + "norm1", epsilon)
        wide = linear(gelu(linear(x, weights, layer + "linear1")), weights, layer + "linear2")
        x = norm(x + wide, weights, layer + "norm2", epsilon)
    pooled = np.tanh(linear(x[:, 0], weights, "pooler.dense"))
    return {"embeddings": embedded, "last_hidden_state": x, "pooler_output": pooled}


def compute_sanity() -> dict[str, np.ndarray]:
    """The numbers of the sanity model."""
    weights = {name: sanity_values(name, shape) for name, shape in sanity_shapes(SANITY.fields).items()}
    return compute(weights, np.array(SANITY.ids), np.array(SANITY.mask), int(SANITY.fields["num_attention_heads"]))


def write_numbers() -> None:
    """Write the file that the recorder compares Paddle with: 15 digits of each number."""
    numbers = {site: [float(f"{value:.15g}") for value in values.flat] for site, values in compute_sanity().items()}
    NUMBERS.write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_numbers()
