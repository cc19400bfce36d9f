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


def table_case(part: str, layer: Any) -> tuple[Case, list[tuple[str, Any]]]:
    """Every row of an embedding, through the embedding alone; of a large one, its product with a seeded column. A row
    that the embedding gives as zeros is left out."""
    import paddle

    rows, width = layer.weight.shape
    large = rows * width * 8 > ROWS_BYTES
    found = []
    with paddle.no_grad():
        for start in range(0, rows, BLOCK_ROWS):
            block = layer(paddle.to_tensor(np.arange(start, min(start + BLOCK_ROWS, rows), dtype=np.int64))).numpy()
            found.append(project(block, 1) if large else block)
    case = dict(name="rows." + part, why="every row of the table", inputs={}, through=part, inside=False)
    row = zeroed_row(layer)
    if row is not None:
        case.update(left_out=row)
    return dict(case, projected=[part] if large else []), [(part, np.concatenate(found))]


def zeroed_row(table: Any) -> int | None:
    """The row that Paddle's embedding gives as zeros although another is stored; None where it gives every row."""
    row = table._padding_idx
    if row is None or row < 0 or not table.weight[row].numpy().any():
        return None
    return int(row)


def named_parts(activations: Activations) -> list[tuple[str, Any]]:
    """The modules of the model by name, those of the encoder from the encoder on."""
    inside = dict((id(part), name) for name, part in activations.backbone.named_sublayers())
    return [(inside.get(id(part), name), part) for name, part in activations.model.named_sublayers()]


def norms_case(activations: Activations, seed: int) -> tuple[Case, list[tuple[str, Any]]]:
    """Every LayerNorm alone: inside the network few inputs are small enough to show the epsilon."""
    import paddle

    width, small_by = activations.model.config.hidden_size, activations.family.inputs.small
    small = (small_by * np.random.RandomState(seed).standard_normal((2, width))).astype(activations.precision)
    norms = [(name, part) for name, part in named_parts(activations) if type(part).__name__ == "LayerNorm"]
    with paddle.no_grad():
        found = [("norm:" + name, norm(paddle.to_tensor(small)).numpy()) for name, norm in norms]
    why = "vectors so small that the epsilon shows, through every LayerNorm alone"
    return dict(name="small_norms", why=why, inputs={"small": small}, through="norms", inside=False), found


def linears_case(activations: Activations, pooler: bool) -> tuple[Case, list[tuple[str, Any]]]:
    """Every linear layer alone, with an input without small numbers, so that each weight changes the output. Inside a
    network a GELU that is nearly closed can hide a weight after it."""
    import paddle

    linears = [(name, part) for name, part in named_parts(activations) if type(part).__name__ == "Linear"]
    linears = [(name, part) for name, part in linears if pooler or not name.startswith("pooler.")]
    widths = [part.weight.shape[0 if isinstance(part, paddle.nn.Linear) else 1] for _, part in linears]
    vector = seeded("linears", (1, max(widths)), activations.precision)
    found = []
    with paddle.no_grad():
        for (name, part), width in zip(linears, widths):
            found.append(("linear:" + name, part(paddle.to_tensor(vector[:, :width])).numpy()))
    why = "a vector without small numbers, through every linear layer alone"
    return dict(name="linears", why=why, inputs={"vector": vector}, through="linears", inside=False), found
