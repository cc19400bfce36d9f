"""Which function of the outputs is differentiated, and what is kept of the gradient of each parameter."""

from __future__ import annotations

from typing import Any

import numpy as np

from verify.protocol.projections import seeded

#: Outputs that the functional is a seeded sum of: how their names begin, and how those of heads end. Probabilities
#: follow from the logits.
BODY, HEAD = ("hidden_states.", "pooler_output"), "logits"
#: Rows of an embedding table that are read at a time.
BLOCK_ROWS = 8192


def functional_sites(sites: Any, pooler: bool) -> Any:
    """The names of the outputs that the functional is made of, in the order of `sites`."""
    parts = [name for name in sites if name.startswith(BODY) or name.endswith(HEAD)]
    return [name for name in parts if pooler or name != "pooler_output"]


def is_table(name: str) -> bool:
    """Whether a parameter is an embedding table, of which a case uses only some rows."""
    return "embeddings." in name and "norm" not in name


def keep_gradient(name: str, gradient: Any, whole: bool) -> Any:
    """part -> array, of one gradient in Paddle's layout.

    Vectors, and with `whole` matrices, are kept as they are ("whole"); a matrix else as its products with a seeded
    vector from either side ("right", "left"). An embedding table comes as pairs (row numbers, block of rows): its rows
    that are not 0 are kept in the same way, and their numbers as int64 ("rows").
    """
    if is_table(name):
        rows, kept = [], []
        for numbers, block in gradient:
            used = np.flatnonzero(block.any(axis=1))
            rows.append(numbers[used])
            kept.append(block[used])
        values = np.concatenate(kept)
        parts = {"rows": np.concatenate(rows).astype(np.int64)}
        parts.update({"whole": values} if whole else halves(values))
        return parts
    return {"whole": gradient} if whole or gradient.ndim == 1 else halves(gradient)


def halves(matrix: Any) -> Any:
    """[m, n] -> "right" [m], the product of each row with a seeded vector, and "left" [n], that of each column."""
    rows, columns = matrix.shape
    precision = matrix.dtype.name
    return {
        "right": matrix.dot(seeded(f"right.{columns}", columns, precision)),
        "left": seeded(f"left.{rows}", rows, precision).dot(matrix),
    }
