"""The share of examples whose prediction is the label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Accuracy:
    correct: int
    total: int

    @property
    def share(self) -> float:
        return self.correct / self.total if self.total else 0.0

    def metrics(self) -> dict[str, float]:
        return {"accuracy": self.share}


def score_classes(gold: np.ndarray, predicted: np.ndarray) -> Accuracy:
    """Count the predictions that are right. Both are whole numbers, [N]. Raises ValueError for other shapes."""
    if gold.shape != predicted.shape or gold.ndim != 1:
        raise ValueError(f"{predicted.shape} predictions for {gold.shape} labels")
    return Accuracy(int((gold == predicted).sum()), len(gold))
