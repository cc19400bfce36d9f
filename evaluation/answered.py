"""One side's answers to the examples of one language, as they are compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

#: How an answer was looked for, where there is one way alone; else a layer and a direction of retrieval.
USUAL = ""


@dataclass(frozen=True)
class Answered:
    """Choices, one for each text, word, question or sentence that looks for its translation.

    `rows`: the example that each belongs to, [C]. `chosen`: its number among what there was to choose, [C]. `margin`:
    how far it lies before the second choice, [C], a difference of numbers up to `scale`. `arrays`: the names of the
    model's arrays that decided, and `where` their rows.
    """

    language: str
    view: str
    rows: np.ndarray
    chosen: np.ndarray
    margin: np.ndarray
    metrics: Mapping[str, float]
    scale: float
    arrays: tuple[str, ...]
    where: np.ndarray
