"""The cases with labels: the loss of the class, whose gradient is that of a training step."""

from __future__ import annotations

from typing import Any

import numpy as np

from verify.recorder.cases.case_builder import CaseBuilder


def add_losses(builder: CaseBuilder, length: int) -> None:
    """The cases of each loss that the class has. No label is ignored where Paddle's loss averages over ignored ones,
    unlike PyTorch's."""
    ids = builder.ids(4, length)
    inputs = {"input_ids": ids, "attention_mask": np.ones(ids.shape, np.int64)}
    for name, why, labels, kind in class_losses(builder, length):
        more = {} if kind is None else {"problem_type": kind}
        builder.add(name, why, dict(inputs, **labels), gradient="loss", **more)


def class_losses(builder: CaseBuilder, length: int) -> Any:
    """Name, why, labels, and the problem type that makes it this loss (None: the class has one loss)."""
    kind = builder.model_class.losses
    if kind == "sequence":
        return sequence_losses(builder)
    if kind == "tokens":
        labels = builder.random.randint(0, builder.labels, size=(4, length)).astype(np.int64)
        return [("loss", "cross entropy", {"labels": labels}, None)]
    if kind == "span":
        start, end = np.arange(4, dtype=np.int64) % length, np.full(4, length - 1, np.int64)
        return [("loss", "start and end", {"start_positions": start, "end_positions": end}, None)]
    if kind in ("masked", "pretraining"):
        tokens = builder.random.randint(0, builder.vocabulary, size=(4, length)).astype(np.int64)
        sentences = {"next_sentence_label": np.arange(4, dtype=np.int64) % 2} if kind == "pretraining" else {}
        return [("loss", "cross entropy over the vocabulary", {"labels": tokens, **sentences}, None)]
    if kind == "masked rows":
        return masked_losses(builder, length)
    if kind == "choices":
        groups = -(-4 // builder.choices)
        labels = np.arange(groups, dtype=np.int64) % builder.choices
        return [("loss", "cross entropy over the choices", {"labels": labels}, None)]
    return []


def masked_losses(builder: CaseBuilder, length: int) -> Any:
    """Those of a masked LM that leaves out positions without a label: every position, and a third of them."""
    tokens = builder.random.randint(0, builder.vocabulary, size=(4, length)).astype(np.int64)
    some = np.where(np.arange(4 * length).reshape(4, length) % 3 == 0, tokens, -100)
    return [
        ("loss", "cross entropy over the vocabulary", {"labels": tokens}, None),
        ("loss.rows", "a label at every third position", {"labels": some}, None),
    ]


def sequence_losses(builder: CaseBuilder) -> Any:
    """Those of a sequence classifier, for the problem types that the config allows."""
    kind, count, found = builder.problem_type, builder.labels, []
    if kind in (None, "single_label_classification") and count > 1:
        labels = np.arange(4, dtype=np.int64) % count
        found.append(("loss", "cross entropy", {"labels": labels}, "single_label_classification"))
    if kind in (None, "multi_label_classification") and count > 1:
        labels = builder.random.randint(0, 2, size=(4, count)).astype(builder.precision)
        found.append(("loss.multi", "several labels at once", {"labels": labels}, "multi_label_classification"))
    if count == 1:
        labels = builder.random.standard_normal(4).astype(builder.precision)
        found.append(("loss.regression", "squared error", {"labels": labels}, "regression"))
    return found
