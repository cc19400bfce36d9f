"""Every form of attention mask that Paddle takes: its rank and its dtype decide what it means."""

from __future__ import annotations

from typing import Any

import numpy as np


def add_masks(design: Any, length: int) -> None:
    """The cases with masks, and the one of the implicit rule."""
    ids, mask = design.ids(2, length), np.ones((2, length), np.int64)
    ids[:, 0] = 0
    ids[1, length // 2 :] = 1 % design.vocabulary
    ids[0, length // 3] = 0
    mask[1, length // 2 :] = 0

    def add(name: str, why: str, value: Any, texts: Any = ids, **more: Any) -> None:
        design.add(name, why, {"input_ids": texts, "attention_mask": value}, **more)

    design.add("ids.zero_and_pad", "ids 0 and 1 inside the text, no mask", {"input_ids": ids})
    add_flat(design, add, mask)
    zero = mask.copy()
    zero[0] = 0
    add("mask.zero_row", "a row that hides every key: -1e4 is added, not infinity", zero, zero_row=True)
    lower = np.tril(np.ones((length, length), np.int64))
    four = np.broadcast_to(lower, (2, 1, length, length)).copy()
    add("mask.4d.int", "4-D integer mask, one for all heads", four)
    add("mask.4d.int32", "4-D int32 mask, one for all queries", mask[:, None, None, :].astype(np.int32))
    heads = design.random.randint(0, 2, size=(2, design.heads, length, length))
    heads |= np.eye(length, dtype=heads.dtype)
    add("mask.4d.bool", "4-D bool mask, another for each head", heads.astype(bool))
    added = design.random.standard_normal((2, 1, 1, length))
    add("mask.4d.float", "4-D float mask, added as it is", added.astype(design.precision))
    added = design.random.standard_normal(heads.shape).astype(np.float32)
    add("mask.4d.float32", "4-D float32 mask, added, another for each head", added)
    for kind, value in (("", lower.astype(bool)), (".int", lower), (".float", added[0, 0].astype(design.precision))):
        add("mask.3d" + kind, "3-D mask of a batch of one", value[None], ids[:1], through="backbone")


def add_flat(design: Any, add: Any, mask: Any) -> None:
    """2-D masks: 1 is attend, whatever the dtype."""
    length = mask.shape[1]
    add("mask.bool", "2-D bool mask", mask.astype(bool))
    add("mask.int32", "2-D int32 mask", mask.astype(np.int32))
    add("mask.uint8", "2-D uint8 mask", mask.astype(np.uint8))
    ramp = np.linspace(0.125, 1.0, length).astype(design.precision)
    fractions = np.stack([ramp, mask[1].astype(design.precision)])
    # Weights of -1e4 * (1 - x) are either 0 or hide all: near 1 the fraction shows.
    fractions[0, -3:] = 1.0 - np.array([1e-4, 2e-4, 0.0])[-min(3, length) :]
    add("mask.float", "2-D float mask with fractions", fractions)
    add("mask.float32", "2-D float32 mask with fractions", fractions.astype(np.float32))
