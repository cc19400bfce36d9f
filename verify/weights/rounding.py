"""Whether each element is the correctly rounded value of another dtype's, by the definition of rounding.

A value rounds to t when it lies between the midpoints from t to its two neighbours; on a midpoint, when t is even. This
shares nothing with the way in which the converter rounds. Every value and midpoint here is exact in float64.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

#: dtype -> (unsigned integer of the same size, bits of the largest finite magnitude)
_LAYOUT = {"float16": ("<u2", 0x7BFF), "bfloat16": ("<u2", 0x7F7F), "float32": ("<u4", 0x7F7FFFFF)}
#: Conversions that can be checked here: midpoints of the target must be exact in float64.
ROUNDED_TARGETS = tuple(_LAYOUT)


def to_float64(array: np.ndarray, dtype: str) -> np.ndarray:
    """The values that the bits stand for (bfloat16 comes as uint16)."""
    import numpy as np

    if dtype == "bfloat16":
        array = (array.astype(np.uint32) << 16).view(np.float32)
    with np.errstate(invalid="ignore"):
        return array.astype(np.float64)


def wrongly_rounded(source: np.ndarray, source_dtype: str, target: np.ndarray, target_dtype: str) -> np.ndarray:
    """Where `target` is not `source` rounded to nearest, ties to even. Arrays of equal shape, bits as stored.

    NaN must stay NaN. A finite value that became infinite is wrong: what cannot be represented cannot be converted.
    """
    import numpy as np

    kind, largest = _LAYOUT[target_dtype]
    value = to_float64(source, source_dtype)
    bits = np.ascontiguousarray(target).view(kind)
    sign_bit = bits.dtype.type(1 << (8 * bits.itemsize - 1))
    size = (bits & ~sign_bit).astype(np.int64)
    with np.errstate(invalid="ignore", over="ignore"):
        middle = _magnitude(size, target_dtype)
        below = np.where(size > 0, _magnitude(np.maximum(size - 1, 0), target_dtype), -middle)
        # Above the largest number the next one would be as far away as the one below.
        above = np.where(size < largest, _magnitude(np.minimum(size + 1, largest), target_dtype), 2 * middle - below)
        low, high = (below + middle) / 2, (middle + above) / 2
        given = np.abs(value)
        even = size % 2 == 0
        inside = np.where(even, (low <= given) & (given <= high), (low < given) & (given < high))
        inside |= (size == 0) & (given <= high)
        right = np.where(size <= largest, inside, np.isinf(value) & (size == largest + 1))
        right &= np.signbit(value) == ((bits & sign_bit) != 0)
        wrong: np.ndarray = np.where(np.isnan(value), size <= largest + 1, ~right)
    return wrong


def _magnitude(size: np.ndarray, dtype: str) -> np.ndarray:
    """The number with the bits `size`, the sign bit left out."""
    import numpy as np

    if dtype == "float16":
        return size.astype(np.uint16).view(np.float16).astype(np.float64)
    wide = size.astype(np.uint32) << 16 if dtype == "bfloat16" else size.astype(np.uint32)
    return wide.astype(np.uint32).view(np.float32).astype(np.float64)
