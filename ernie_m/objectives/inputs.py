"""From texts to arrays: the layout [CLS] A [SEP] [SEP] B [SEP], positions, sides and padding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

CLS, PAD, SEP, UNK = 0, 1, 2, 3  # of every ERNIE-M vocabulary
MASK, VOCABULARY = 250001, 250002  # of the published ones; small ones have fewer
NOT_PREDICTED = -100


@dataclass(frozen=True, eq=False)
class Inputs(Mapping[str, Array]):
    """The arrays of a batch, by attribute and by name.

    `input_ids`, `position_ids`, `labels` (-100: not predicted) and `side` (0, 1; -1 padding) are int64 [B, S],
    `attention_mask` is bool [B, S, S] (True: may be read). Position ids count from 0, as Paddle's tokenizer and
    both models do: the models add 2, and the first token has row 2 of the table. `language_ids` int64 [B, S] is None
    and not among the names where no languages were given.
    """

    input_ids: Array
    attention_mask: Array
    position_ids: Array
    labels: Array
    side: Array
    language_ids: Array | None = None

    def __getitem__(self, name: str) -> Array:
        if name not in set(self):
            raise KeyError(name)
        value: Array = getattr(self, name)
        return value

    def __iter__(self) -> Iterator[str]:
        return (field.name for field in fields(self) if getattr(self, field.name) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


@dataclass(frozen=True)
class Text:
    """One text of a row, without special tokens: ids after masking, and labels (-100: not predicted)."""

    ids: Array
    labels: Array
    language: int = 0


def lay_out(rows: Sequence[Sequence[Text]], restart_positions: bool, with_languages: bool) -> dict[str, Array]:
    """The int64 [B, S] arrays of rows of one or two texts, padded on the right to the longest row.

    [CLS] and the first [SEP] belong to side 0, the [SEP]s around the second text to side 1.
    `restart_positions`: side 1 counts from 0 again. Padding has position 0, as in Paddle's tokenizer.
    """
    columns: dict[str, list[Array]] = {name: [] for name in ("input_ids", "position_ids", "labels", "side")}
    if with_languages:
        columns["language_ids"] = []
    for row in rows:
        lengths = [len(text.ids) + 2 for text in row]
        positions = [np.arange(length) for length in lengths] if restart_positions else [np.arange(sum(lengths))]
        columns["input_ids"].append(_join(row, "ids", (CLS, SEP), SEP))
        columns["position_ids"].append(np.concatenate(positions))
        columns["labels"].append(_join(row, "labels", (NOT_PREDICTED, NOT_PREDICTED), NOT_PREDICTED))
        columns["side"].append(np.repeat(np.arange(len(row)), lengths))
        if with_languages:
            columns["language_ids"].append(np.repeat([text.language for text in row], lengths))
    fillers = {"input_ids": PAD, "labels": NOT_PREDICTED, "side": -1}
    return {name: _pad(column, fillers.get(name, 0)) for name, column in columns.items()}


def _join(row: Sequence[Text], name: str, begins: tuple[int, int], end: int) -> Array:
    """One array of the texts of a row, each between what its side begins with and the end."""
    parts: list[Any] = []
    for begin, text in zip(begins, row):
        parts += [[begin], getattr(text, name), [end]]
    return np.concatenate(parts)


def _pad(rows: Sequence[Array], filler: int) -> Array:
    padded = np.full((len(rows), max(map(len, rows))), filler, np.int64)
    for place, row in enumerate(rows):
        padded[place, : len(row)] = row
    return padded
