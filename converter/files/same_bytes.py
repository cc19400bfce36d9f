"""Whether two tensors of a checkpoint are one weight that was stored twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from converter.files.tensors import SourceTensor

if TYPE_CHECKING:
    import numpy as np

BLOCK_BYTES = 1 << 20


def have_same_bytes(one: SourceTensor, other: SourceTensor) -> bool:
    """Same shape, dtype and values, bit for bit: -0.0 and 0.0 differ, a NaN equals itself. Compared by rows: either may
    lie in column order, and a table of words takes 100 MB and more. Raises FileError where the bytes cannot be read."""
    import numpy as np

    if (one.shape, one.dtype) != (other.shape, other.dtype):
        return False
    left, right = np.atleast_1d(one.read()), np.atleast_1d(other.read())
    rows = max(1, BLOCK_BYTES // max(1, left[:1].nbytes))

    def bits(array: np.ndarray, start: int) -> np.ndarray:
        return np.ascontiguousarray(array[start : start + rows]).view(np.uint8)

    return all(np.array_equal(bits(left, start), bits(right, start)) for start in range(0, len(left), rows))
