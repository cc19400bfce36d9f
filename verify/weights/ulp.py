"""The smallest fault that a stored number can have: one unit in the last place of its dtype."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from converter.files.tensors import DTYPES
from verify.weights.output_weights import WrittenTensor
from verify.weights.rounding import to_float64

if TYPE_CHECKING:
    import numpy as np

#: How many elements are drawn to find one of median magnitude.
_DRAWN = 1001


@dataclass(frozen=True)
class Change:
    """One element of a tensor, and the next number, which takes its place."""

    tensor: str
    place: tuple[int, ...]
    value: float
    moved: float


def typical_change(tensor: WrittenTensor, seed: int) -> Change | None:
    """An element of median magnitude among those drawn that are not 0, moved by one unit in the last place of the
    stored dtype. None where all that is drawn is 0, whose neighbours are too small to show."""
    import numpy as np

    flat = tensor.read().reshape(-1)
    random = np.random.default_rng([seed, zlib.crc32(tensor.name.encode())])
    drawn = random.integers(flat.size, size=_DRAWN) if flat.size > _DRAWN else np.arange(flat.size)
    sizes = np.abs(to_float64(np.asarray(flat[drawn]), tensor.dtype))
    usable = np.flatnonzero(np.isfinite(sizes) & (sizes > 0))
    if not usable.size:
        return None
    middle = usable[np.argsort(sizes[usable], kind="stable")[usable.size // 2]]
    return change_at(tensor, flat, int(drawn[middle]))


def change_at(tensor: WrittenTensor, flat: np.ndarray, place: int) -> Change:
    """The element number `place` of the tensor, whose elements are `flat`, and its neighbour."""
    import numpy as np

    bits = bits_of(flat[place : place + 1], tensor.dtype)
    index = tuple(int(n) for n in np.unravel_index(place, tensor.shape)) if tensor.shape else ()
    return Change(
        tensor.name, index, value_of(bits, tensor.dtype), value_of(neighbour(bits, tensor.dtype), tensor.dtype)
    )


def neighbour(bits: np.ndarray, dtype: str) -> np.ndarray:
    """The bits of the next number away from 0, or towards it where there is none."""
    import numpy as np

    further: np.ndarray = bits + bits.dtype.type(1)
    if np.isfinite(value_of(further, dtype)):
        return further
    nearer: np.ndarray = bits - bits.dtype.type(1)
    return nearer


def value_of(bits: np.ndarray, dtype: str) -> float:
    """The number that the first of these bits stands for."""
    import numpy as np

    return float(to_float64(bits.view(np.dtype(DTYPES[dtype][0])), dtype)[0])


def bits_of(array: np.ndarray, dtype: str) -> np.ndarray:
    return array.view(f"<u{DTYPES[dtype][1]}")
