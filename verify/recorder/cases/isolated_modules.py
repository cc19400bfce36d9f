"""Modules that are run alone: every row of an embedding, every LayerNorm with an input as small as its epsilon, every
linear layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from verify.protocol.gradient_functional import BLOCK_ROWS
from verify.protocol.projections import project, seeded
from verify.recorder.model.activations import Activations, Case

#: Rows of an embedding table are kept as they are up to this size, else as products with one seeded column.
ROWS_BYTES = 512 << 10
#: How small the input of a norm is: its variance is then that of the epsilon.
SMALL = 1e-3


def table_case(part: str, layer: Any) -> tuple[Case, list[tuple[str, Any]]]:
    """Every row of an embedding, through the embedding alone; of a large one, its product with a seeded column."""
    import paddle

    rows, width = layer.weight.shape
    large = rows * width * 8 > ROWS_BYTES
    found = []
    with paddle.no_grad():
        for start in range(0, rows, BLOCK_ROWS):
            block = layer(paddle.to_tensor(np.arange(start, min(start + BLOCK_ROWS, rows), dtype=np.int64))).numpy()
            found.append(project(block, 1) if large else block)
    case = dict(name="rows." + part, why="every row of the table", inputs={}, through=part, inside=False)
    return dict(case, projected=[part] if large else []), [(part, np.concatenate(found))]


def norms_case(activations: Activations, seed: int) -> tuple[Case, list[tuple[str, Any]]]:
    """Every LayerNorm alone: inside the network few inputs are small enough to show the epsilon."""
    import paddle

    width = activations.model.config.hidden_size
    small = (SMALL * np.random.RandomState(seed).standard_normal((2, width))).astype(activations.precision)
    norms = [
        (name, part) for name, part in activations.backbone.named_sublayers() if type(part).__name__ == "LayerNorm"
    ]
    with paddle.no_grad():
        found = [("norm:" + name, norm(paddle.to_tensor(small)).numpy()) for name, norm in norms]
    why = "vectors so small that the epsilon shows, through every LayerNorm alone"
    return dict(name="small_norms", why=why, inputs={"small": small}, through="norms", inside=False), found


def linears_case(activations: Activations, pooler: bool) -> tuple[Case, list[tuple[str, Any]]]:
    """Every linear layer alone, with an input without small numbers, so that each weight changes the output. Inside a
    network a GELU that is nearly closed can hide a weight after it."""
    import paddle

    inside = dict((id(part), name) for name, part in activations.backbone.named_sublayers())
    parts = [(inside.get(id(part), name), part) for name, part in activations.model.named_sublayers()]
    linears = [(name, part) for name, part in parts if type(part).__name__ == "Linear"]
    linears = [(name, part) for name, part in linears if pooler or not name.startswith("pooler.")]
    vector = seeded("linears", (1, max(part.weight.shape[0] for _, part in linears)), activations.precision)
    found = []
    with paddle.no_grad():
        for name, part in linears:
            value = part(paddle.to_tensor(vector[:, : part.weight.shape[0]])).numpy()
            found.append(("linear:" + name, value))
    why = "a vector without small numbers, through every linear layer alone"
    return dict(name="linears", why=why, inputs={"vector": vector}, through="linears", inside=False), found
