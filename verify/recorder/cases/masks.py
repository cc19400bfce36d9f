"""Every form of attention mask that Paddle takes: its rank and its dtype decide what it means."""

from __future__ import annotations

from typing import Any

import numpy as np

from verify.recorder.cases.case_builder import CaseBuilder


def add_masks(builder: CaseBuilder, length: int) -> None:
    """The cases with masks, and the one of the implicit rule."""
    family = builder.family
    cls_id, pad_id = family.cls_id, family.pad_id
    ids, mask = builder.ids(2, length), np.ones((2, length), np.int64)
    ids[:, 0] = cls_id
    ids[1, length // 2 :] = pad_id % builder.vocabulary
    ids[0, length // 3] = cls_id
    mask[1, length // 2 :] = 0

    def add(name: str, why: str, value: Any, texts: Any = ids, **more: Any) -> None:
        builder.add(name, why, {"input_ids": texts, "attention_mask": value}, **more)

    why = f"ids {cls_id} and {pad_id} inside the text, no mask"
    builder.add("ids.zero_and_pad", why, {"input_ids": ids})
    add_flat(builder, add, mask)
    zero = mask.copy()
    zero[0] = 0
    add("mask.zero_row", "a row that hides every key: -1e4 is added, not infinity", zero, zero_row=True)
    lower = np.tril(np.ones((length, length), np.int64))
    four = np.broadcast_to(lower, (2, 1, length, length)).copy()
    add("mask.4d.int", "4-D integer mask, one for all heads", four)
    add("mask.4d.int32", "4-D int32 mask, one for all queries", mask[:, None, None, :].astype(np.int32))
    heads = builder.random.randint(0, 2, size=(2, builder.heads, length, length))
    heads |= np.eye(length, dtype=heads.dtype)
    add("mask.4d.bool", "4-D bool mask, another for each head", heads.astype(bool))
    added = builder.random.standard_normal((2, 1, 1, length))
    add("mask.4d.float", "4-D float mask, added as it is", added.astype(builder.precision))
    added = builder.random.standard_normal(heads.shape).astype(np.float32)
    add("mask.4d.float32", "4-D float32 mask, added, another for each head", added)
    for kind, value in (("", lower.astype(bool)), (".int", lower), (".float", added[0, 0].astype(builder.precision))):
        add("mask.3d" + kind, "3-D mask of a batch of one", value[None], ids[:1], through="backbone")


def add_flat_masks(builder: CaseBuilder, length: int) -> None:
    """2-D masks of 0 and 1 that hide padding and, in the last case, words: what every encoder takes alike."""
    ids, mask = builder.ids(2, length), np.ones((2, length), np.int64)
    ids[:, 0] = builder.family.cls_id % builder.vocabulary
    ids[1, length // 2 :] = builder.family.pad_id % builder.vocabulary
    mask[1, length // 2 :] = 0

    def add(name: str, why: str, value: Any) -> None:
        builder.add(name, why, {"input_ids": ids, "attention_mask": value})

    add_integers(add, mask)
    if builder.inputs.float_mask:
        add("mask.float", "2-D float mask of 0 and 1", mask.astype(builder.precision))
    hidden = builder.random.randint(0, 2, size=(2, length)).astype(np.int64)
    hidden[:, 0], hidden[:, -1] = 1, 0
    words = {"input_ids": builder.ids(2, length), "attention_mask": hidden}
    builder.add("mask.words", "2-D mask that hides words", words)


def add_integers(add: Any, mask: Any) -> None:
    add("mask.bool", "2-D bool mask", mask.astype(bool))
    add("mask.int32", "2-D int32 mask", mask.astype(np.int32))
    add("mask.uint8", "2-D uint8 mask", mask.astype(np.uint8))


def add_flat(builder: CaseBuilder, add: Any, mask: Any) -> None:
    """2-D masks: 1 is attend, whatever the dtype."""
    length = mask.shape[1]
    add_integers(add, mask)
    ramp = np.linspace(0.125, 1.0, length).astype(builder.precision)
    fractions = np.stack([ramp, mask[1].astype(builder.precision)])
    # Weights of -1e4 * (1 - x) are either 0 or hide all: near 1 the fraction shows.
    fractions[0, -3:] = 1.0 - np.array([1e-4, 2e-4, 0.0])[-min(3, length) :]
    add("mask.float", "2-D float mask with fractions", fractions)
    add("mask.float32", "2-D float32 mask with fractions", fractions.astype(np.float32))
