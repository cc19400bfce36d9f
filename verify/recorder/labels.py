"""The cases with labels: the loss of the class, whose gradient is that of a training step."""

from __future__ import annotations

from typing import Any

import numpy as np


def add_losses(design: Any, length: int) -> None:
    """One case for each loss that the class has. No label is ignored: there Paddle and PyTorch average otherwise."""
    ids = design.ids(4, length)
    inputs = {"input_ids": ids, "attention_mask": np.ones(ids.shape, np.int64)}
    for name, why, labels, kind in class_losses(design, length):
        more = {} if kind is None else {"problem_type": kind}
        design.add(name, why, dict(inputs, **labels), gradient="loss", **more)


def class_losses(design: Any, length: int) -> Any:
    """Name, why, labels, and the problem type that makes it this loss."""
    if design.name == "ErnieMForSequenceClassification":
        return sequence_losses(design)
    if design.name == "ErnieMForTokenClassification":
        labels = design.random.randint(0, design.labels, size=(4, length)).astype(np.int64)
        return [("loss", "cross entropy", {"labels": labels}, None)]
    if design.name == "ErnieMForQuestionAnswering":
        start, end = np.arange(4, dtype=np.int64) % length, np.full(4, length - 1, np.int64)
        return [("loss", "start and end", {"start_positions": start, "end_positions": end}, None)]
    if design.name == "ErnieMForMultipleChoice":
        groups = -(-4 // design.choices)
        labels = np.arange(groups, dtype=np.int64) % design.choices
        return [("loss", "cross entropy over the choices", {"labels": labels}, None)]
    return []


def sequence_losses(design: Any) -> Any:
    kind, count, found = design.problem_type, design.labels, []
    if kind in (None, "single_label_classification") and count > 1:
        labels = np.arange(4, dtype=np.int64) % count
        found.append(("loss", "cross entropy", {"labels": labels}, "single_label_classification"))
    if kind in (None, "multi_label_classification") and count > 1:
        labels = design.random.randint(0, 2, size=(4, count)).astype(design.precision)
        found.append(("loss.multi", "several labels at once", {"labels": labels}, "multi_label_classification"))
    if count == 1:
        labels = design.random.standard_normal(4).astype(design.precision)
        found.append(("loss.regression", "squared error", {"labels": labels}, "regression"))
    return found
