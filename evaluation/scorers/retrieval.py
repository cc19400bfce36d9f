"""Retrieval of translations as XTREME measures it: cosine, nearest neighbour. What is compared is the mean over a
text's positions, which `verify.protocol.evaluation_job` takes for both sides.

Of equal similarities the first candidate wins, on both sides alike; all is computed in float64, so that rounding here
is far below that of the embeddings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

#: Queries that are compared at once.
_BLOCK = 256


@dataclass(frozen=True)
class Neighbours:
    """For each query the candidate that is nearest, and how much nearer than the second: 0 is a tie. [Q] each."""

    nearest: np.ndarray
    margin: np.ndarray


def find_neighbours(queries: np.ndarray, candidates: np.ndarray) -> Neighbours:
    """The nearest candidate of each query by cosine: [Q, H] and [C, H]. With one candidate the margin is infinite."""
    import numpy as np

    among = _normalised(candidates)
    nearest = np.empty(len(queries), np.int64)
    margin = np.full(len(queries), np.inf)
    for start in range(0, len(queries), _BLOCK):
        similarity = _normalised(queries[start : start + _BLOCK]) @ among.T
        block = slice(start, start + len(similarity))
        nearest[block] = similarity.argmax(axis=1)  # The first of equal ones.
        if len(among) > 1:
            second, first = np.partition(similarity, -2, axis=1)[:, -2:].T
            margin[block] = first - second
    return Neighbours(nearest, margin)


def _normalised(vectors: np.ndarray) -> np.ndarray:
    """Vectors of length 1; a vector of zeros stays one, and is as near to everything."""
    import numpy as np

    vectors = vectors.astype(np.float64)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: np.ndarray = vectors / np.where(lengths == 0, 1, lengths)
    return scaled
