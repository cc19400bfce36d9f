"""The cases with labels: the loss of the class, whose gradient is that of a training step."""

from __future__ import annotations

from typing import Any

import numpy as np

from verify.recorder.cases.case_builder import CaseBuilder

#: A label is one of this many words.
LIKELY = 8


def add_losses(builder: CaseBuilder, length: int) -> None:
    """The cases of each loss that the class has. No label is ignored where Paddle's loss averages over ignored ones,
    unlike PyTorch's."""
    ids = builder.ids(4, length)
    inputs = {"input_ids": ids, "attention_mask": np.ones(ids.shape, np.int64)}
    for name, why, labels, kind in class_losses(builder, inputs):
        more = {} if kind is None else {"problem_type": kind}
        builder.add(name, why, dict(inputs, **labels), gradient="loss", **more)


def class_losses(builder: CaseBuilder, inputs: Any) -> Any:
    """Name, why, labels, and the problem type that makes it this loss (None: the class has one loss)."""
    kind, length = builder.model_class.losses, inputs["input_ids"].shape[1]
    if kind == "sequence":
        return sequence_losses(builder)
    if kind == "tokens":
        labels = builder.random.randint(0, builder.labels, size=(4, length)).astype(np.int64)
        return [("loss", "cross entropy", {"labels": labels}, None)]
    if kind == "span":
        start, end = np.arange(4, dtype=np.int64) % length, np.full(4, length - 1, np.int64)
        return [("loss", "start and end", {"start_positions": start, "end_positions": end}, None)]
    if kind in ("masked", "pretraining"):
        tokens = likely_words(builder, inputs)
        sentences = {"next_sentence_label": np.arange(4, dtype=np.int64) % 2} if kind == "pretraining" else {}
        return [("loss", "cross entropy over the vocabulary", {"labels": tokens, **sentences}, None)]
    if kind == "masked rows":
        return masked_losses(likely_words(builder, inputs))
    if kind == "choices":
        groups = -(-4 // builder.choices)
        labels = np.arange(groups, dtype=np.int64) % builder.choices
        return [("loss", "cross entropy over the choices", {"labels": labels}, None)]
    return []


def likely_words(builder: CaseBuilder, inputs: Any) -> Any:
    """For each position one of the words that the model finds most likely.

    Paddle's softmax takes no logit for more than 64 below the largest (`ValueClip` in paddle/phi/kernels/funcs/
    softmax_impl.h), so that its loss of a less likely word is cut off, and PyTorch's is not.
    """
    import paddle

    with paddle.no_grad():
        result = builder.model(**{name: paddle.to_tensor(value) for name, value in inputs.items()})
    logits = (result[0] if isinstance(result, (tuple, list)) else result).numpy()
    count = min(LIKELY, builder.vocabulary)
    words = np.argpartition(-logits, count - 1, axis=-1)[..., :count]
    chosen = builder.random.randint(0, count, size=(*words.shape[:-1], 1))
    return np.take_along_axis(words, chosen, -1)[..., 0].astype(np.int64)


def masked_losses(tokens: Any) -> Any:
    """Those of a masked LM that leaves out positions without a label: every position, and a third of them."""
    some = np.where(np.arange(tokens.size).reshape(tokens.shape) % 3 == 0, tokens, -100)
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
