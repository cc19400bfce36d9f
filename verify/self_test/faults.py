"""Faults, and those that are injected into the weights: at least one for every tensor."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from verify.weights.output_weights import WrittenTensor
from verify.weights.rounding import to_float64
from verify.weights.ulp import bits_of, change_at

if TYPE_CHECKING:
    import numpy as np

#: Faults of one tensor.
LAST_PLACE, TRANSPOSED, EXCHANGED, ROWS = "last place", "transposed", "exchanged", "rows exchanged"
#: Faults of a field of a JSON file, of a line of vocab.txt, of a piece of the sentencepiece model, of a rule of
#: tokenizer.json.
FIELD, LINE, PIECE, RULE = "field", "line", "piece", "rule"
OF_TENSORS = (LAST_PLACE, TRANSPOSED, EXCHANGED, ROWS)
#: Below this share of a tensor's largest value a change of one element is less than what numbers can be asked to see.
SMALLEST_SHARE = 1e-9
_TRIES = 50


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong. `subject` is a tensor's name, or a file and what of it."""

    kind: str
    subject: str
    #: The element, or the two rows.
    place: tuple[int, ...] = ()
    #: What the element, or the field, holds instead.
    value: Any = None
    #: The tensor that it is exchanged with.
    other: str = ""
    #: Folder of the copy that has this fault; tensors are damaged in memory.
    folder: str = ""
    #: Why numbers and tokens cannot see it, where that is known beforehand.
    unseen: str = ""

    def describe(self) -> str:
        """One line."""
        if self.kind == LAST_PLACE:
            return f"{self.subject}[{', '.join(map(str, self.place))}] by one unit in the last place"
        if self.kind == TRANSPOSED:
            return f"{self.subject} transposed"
        if self.kind == EXCHANGED:
            return f"{self.subject} exchanged with {self.other}"
        if self.kind == ROWS:
            return f"{self.subject}: rows {self.place[0]} and {self.place[1]} exchanged"
        return f"{self.subject} is {self.value!r:.80}" if self.kind == FIELD else f"{self.subject} {self.value}"


def tensor_faults(written: Mapping[str, WrittenTensor], seed: int, elements: int) -> Iterator[Fault]:
    """`elements` of each tensor by one unit in the last place of its stored dtype, square matrices transposed, an
    exchange with the next tensor of the same shape, two rows of each embedding."""
    import numpy as np

    names = sorted(written)
    for number, name in enumerate(names):
        tensor = written[name]
        random = np.random.default_rng([seed, zlib.crc32(name.encode())])
        array = tensor.read()
        yield from _last_places(tensor, array, random, elements)
        bits = bits_of(array, tensor.dtype)
        if array.ndim == 2 and array.shape[0] == array.shape[1] and not np.array_equal(bits, bits.T):
            yield Fault(TRANSPOSED, name)
        other = _neighbour(written, names, number)
        if other:
            yield Fault(EXCHANGED, name, other=other)
        if "embeddings.weight" in name and len(array) > 1:
            rows = sorted(int(row) for row in random.choice(len(array), 2, replace=False))
            if not np.array_equal(bits[rows[0]], bits[rows[1]]):
                yield Fault(ROWS, name, place=tuple(rows))


def _last_places(tensor: WrittenTensor, array: np.ndarray, random: np.random.Generator, count: int) -> Iterator[Fault]:
    flat = array.reshape(-1)
    largest = _largest(flat, tensor.dtype)
    taken: set[int] = set()
    for _ in range(min(count, flat.size)):
        for _ in range(_TRIES):
            place = int(random.integers(flat.size))
            if place not in taken and flat[place] != 0:
                break
        taken.add(place)
        change = change_at(tensor, flat, place)
        distance = abs(change.moved - change.value)
        unseen = ""
        if not distance > SMALLEST_SHARE * largest:
            unseen = f"the element is {change.value:.1e}, which its last place changes by {distance:.1e}"
        yield Fault(LAST_PLACE, tensor.name, change.place, change.moved, unseen=unseen)


def _largest(flat: np.ndarray, dtype: str) -> float:
    """The largest magnitude, block by block."""
    import numpy as np

    step = 1 << 22
    blocks = (to_float64(flat[start : start + step], dtype) for start in range(0, flat.size, step))
    return max((float(np.nanmax(np.abs(block))) for block in blocks), default=0.0)


def _neighbour(written: Mapping[str, WrittenTensor], names: list[str], number: int) -> str:
    """The next tensor of this shape and dtype that holds something else; "" where there is none."""
    import numpy as np

    one = written[names[number]]
    for other_name in names[number + 1 :] + names[:number]:
        other = written[other_name]
        alike = (other.shape, other.dtype) == (one.shape, one.dtype)
        if alike and not np.array_equal(bits_of(one.read(), one.dtype), bits_of(other.read(), other.dtype)):
            return other_name
    return ""
