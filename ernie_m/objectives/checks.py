"""Arguments that cannot be meant are refused: a ValueError with the argument, its value and what is expected."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .inputs import CLS, PAD, SEP, UNK, Array


def read_texts(name: str, texts: Any, mask_token_id: int, vocab_size: int) -> list[Array]:
    """Copies of the texts as int64 arrays."""
    _expect_several(name, texts)
    return [_read_text(f"{name}[{place}]", text, mask_token_id, vocab_size) for place, text in enumerate(texts)]


def read_pairs(name: str, pairs: Any, mask_token_id: int, vocab_size: int) -> list[tuple[Array, Array]]:
    """The same for pairs of texts."""
    _expect_several(name, pairs)
    for place, pair in enumerate(pairs):
        if isinstance(pair, str) or not hasattr(pair, "__len__") or len(pair) != 2:
            raise ValueError(f"{name}[{place}] is not a pair of two lists of token ids.")
    firsts, seconds = (
        [
            _read_text(f"{name}[{place}][{side}]", pair[side], mask_token_id, vocab_size)
            for place, pair in enumerate(pairs)
        ]
        for side in (0, 1)
    )
    return list(zip(firsts, seconds))


def check_share(name: str, share: Any, largest: float = math.inf) -> None:
    """A share is above 0."""
    is_number = isinstance(share, (int, float)) and not isinstance(share, bool)
    if not is_number or not math.isfinite(share) or not 0 < share <= largest:
        upper = "" if largest == math.inf else f" and at most {largest:g}"
        raise ValueError(f"{name} is {share!r}, expected a number above 0{upper}.")


def check_vocabulary(mask_token_id: int, vocab_size: int) -> None:
    """[MASK] is one of the vocabulary, and something beside the special tokens is there."""
    if not UNK < mask_token_id < vocab_size or vocab_size < UNK + 3:
        raise ValueError(
            f"mask_token_id is {mask_token_id} and vocab_size {vocab_size}: expected {UNK + 1} to {vocab_size - 1}, "
            "in a vocabulary with a token that is not special."
        )


def check_seed(seed: Any) -> None:
    """Whole numbers from 0 below 2**64, one or several."""
    numbers = seed if isinstance(seed, (tuple, list)) else [seed]
    for number in numbers:
        if not isinstance(number, (int, np.integer)) or isinstance(number, bool) or not 0 <= number < 2**64:
            raise ValueError(f"seed is {seed!r}, expected a whole number from 0 below 2**64, or several.")


def read_languages(languages: Any, rows: int, sides: int) -> list[list[int]]:
    """The language ids of every row, one for each side; zeros where no languages are given."""
    if languages is None:
        return [[0] * sides for _ in range(rows)]
    expected = "a whole number from 0" if sides == 1 else "a pair of whole numbers from 0"
    if len(languages) != rows:
        raise ValueError(f"languages has {len(languages)} entries for {rows} rows.")
    found = [[one] if sides == 1 else list(one) if _is_sequence(one) else [] for one in languages]
    for place, row in enumerate(found):
        if len(row) != sides or any(not isinstance(one, (int, np.integer)) or one < 0 for one in row):
            raise ValueError(f"languages[{place}] is {languages[place]!r}, expected {expected}.")
    return found


def _is_sequence(value: Any) -> bool:
    return isinstance(value, (Sequence, np.ndarray)) and not isinstance(value, str)


def _expect_several(name: str, values: Any) -> None:
    if not _is_sequence(values):
        raise ValueError(f"{name} is a {type(values).__name__}, expected a list.")
    if len(values) == 0:
        raise ValueError(f"{name} is empty.")


def _read_text(name: str, text: Any, mask_token_id: int, vocab_size: int) -> Array:
    ids = np.array(text) if _is_sequence(text) else None
    if ids is None or ids.ndim != 1 or len(ids) == 0 or ids.dtype.kind not in "iu":
        raise ValueError(f"{name} is not a list of token ids with at least one id.")
    ids = ids.astype(np.int64)
    if ids.min() < 0 or ids.max() >= vocab_size:
        raise ValueError(f"{name} holds {ids.min()} to {ids.max()}, expected 0 to {vocab_size - 1} (vocab_size - 1).")
    special = (ids == CLS) | (ids == PAD) | (ids == SEP) | (ids == mask_token_id)
    if special.any():
        raise ValueError(f"{name} holds the special id {ids[special][0]}: give texts without special tokens.")
    return ids
