"""Which token may read which: bool [B, S, S], a row for the token that reads, True for a token that it may read."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def attend_to_all(side: Array) -> Array:
    """Every token reads every token but padding. `side` is int [B, S], -1 for padding."""
    real = side >= 0
    return np.repeat(real[:, None, :], side.shape[1], axis=1)


def attend_across(side: Array, masked: Array) -> Array:
    """CAMLM's rule, for `side` int [B, S] (0, 1; -1 padding) and `masked` bool [B, S].

    A masked token reads the masked tokens of its own side and the visible tokens of the other: so the paper's figure.
    A visible token reads the visible tokens of its own side. The figure is silent there, and in a stack of layers this
    is the only answer that hides a side from its own masked tokens: whatever a visible token reads of the other side,
    the masked tokens of that side read one layer later.
    Padding reads all that is not padding, so that no row is empty; nothing reads padding.
    """
    same = side[:, :, None] == side[:, None, :]
    reader, read = masked[:, :, None], masked[:, None, :]
    allowed = np.where(reader, (same & read) | (~same & ~read), same & ~read)
    padding = (side < 0)[:, :, None]
    return np.where(padding, True, allowed) & (side >= 0)[:, None, :]
