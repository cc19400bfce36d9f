"""Which tokens of a text are predicted, and what stands in their place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Union

import numpy as np

from .inputs import NOT_PREDICTED, UNK, Array

Seed = Union[int, Sequence[int]]


def make_generator(seed: Seed, *texts: Array) -> np.random.Generator:
    """A generator for one row, from the seed and from the row's own texts.

    So a row is masked alike in whatever batch, at whatever place and in whatever process it is.
    """
    numbers = [seed] if isinstance(seed, (int, np.integer)) else list(seed)
    words = [word for number in numbers for word in (int(number) & 0xFFFFFFFF, int(number) >> 32)]
    for text in texts:
        words += [len(text), *text.tolist()]
    return np.random.default_rng(np.array(words, np.uint32))


def count_of(ratio: float, length: int) -> int:
    """How many tokens a share of `length` is: rounded, half up, and at least one."""
    return max(1, int(ratio * length + 0.5))


def choose(text: Array, ratio: float, generator: np.random.Generator) -> Array:
    """bool [n]: the tokens of a text that are predicted."""
    chosen = np.zeros(len(text), bool)
    chosen[generator.choice(len(text), count_of(ratio, len(text)), replace=False)] = True
    return chosen


def cover(
    text: Array, chosen: Array, mask_token_id: int, vocab_size: int, bert_rule: bool, generator: np.random.Generator
) -> tuple[Array, Array]:
    """(ids, labels) of a text: [MASK] for what is chosen.

    `bert_rule`: of the chosen 80 % become [MASK], 10 % a random id that is not special, 10 % stay; all are predicted.
    """
    labels = np.where(chosen, text, NOT_PREDICTED)
    if not bert_rule:
        return np.where(chosen, mask_token_id, text), labels
    draws = generator.random(len(text))
    others = generator.integers(UNK + 1, vocab_size - 1, len(text))
    others += others >= mask_token_id  # [MASK] itself is not drawn
    replaced = np.where(draws < 0.8, mask_token_id, np.where(draws < 0.9, others, text))
    return np.where(chosen, replaced, text), labels
