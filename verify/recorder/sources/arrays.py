"""Arrays as they are stored, as numbers, and rounded: none of it uses the converter's code."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np


def describe(array: Any) -> Any:
    """Shape, stored dtype and the digest of the bytes in C order, by which a trace alone checks written weights."""
    whole = np.ascontiguousarray(array)
    digest = hashlib.sha256(whole.reshape(-1).view(np.uint8).data).hexdigest()
    dtype = "bfloat16" if array.dtype == np.uint16 else array.dtype.name
    return {"shape": list(array.shape), "dtype": dtype, "sha256": digest}


def widen(array: Any, precision: str) -> Any:
    """The values, exactly: half precision is cast up, bfloat16 bits become the numbers that they stand for."""
    if array.dtype == np.uint16:
        array = (array.astype(np.uint32) << 16).view(np.float32)
    return np.ascontiguousarray(array.astype(precision))


def round_array(array: Any, dtype: Any) -> Any:
    """Rounded to nearest, ties to even, in `dtype`. Not with Paddle's cast, which truncates in some releases."""
    if dtype is None or (array.dtype == np.uint16 and dtype == "bfloat16"):
        return array
    wide = array if array.dtype == np.float64 else widen(array, "float32")
    if dtype != "bfloat16":
        return wide.astype(dtype)
    bits = wide.astype(np.float32).view(np.uint32).astype(np.uint64)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
