"""One side's answers to the examples of one language, as they are compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

#: How an answer was looked for, where there are several ways: a layer and a direction of retrieval.
USUAL = ""


@dataclass(frozen=True)
class Answered:
    """`chosen`: the number of each example's answer, [N]. `margin`: how far it lies before the second choice, [N], in
    the unit of `scale`, the largest value that a margin is a difference of."""

    language: str
    view: str
    rows: list[int]
    chosen: np.ndarray
    margin: np.ndarray
    metrics: Mapping[str, float]
    scale: float
