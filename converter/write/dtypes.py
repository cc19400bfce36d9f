"""Correctly rounded conversions between floating dtypes, on arrays that carry bits (bfloat16 as uint16)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from converter.files.tensors import FLOATING

if TYPE_CHECKING:
    import numpy as np


def convert_block(block: np.ndarray, source: str, target: str) -> np.ndarray:
    """`block` in another dtype, each element rounded once to nearest, ties to even.

    An element too large for the target becomes infinite. NaN stays NaN.
    """
    import numpy as np

    if source == target:
        return block
    with np.errstate(over="ignore", invalid="ignore"):
        if target == "bfloat16":
            wide = block if source == "float64" else to_native(block, source).astype(np.float32)
            return _round_to_bfloat16(_round_to_odd(wide) if source == "float64" else wide)
        native = to_native(block, source)
        converted: np.ndarray = native.astype({"float64": "<f8", "float32": "<f4", "float16": "<f2"}[target])
        return converted


def to_native(block: np.ndarray, dtype: str) -> np.ndarray:
    """The block as a dtype that numpy computes with: bfloat16 bits become float32, exactly."""
    import numpy as np

    if dtype != "bfloat16":
        return block
    wide: np.ndarray = (block.astype("<u4") << 16).view(np.float32)
    return wide


def _round_to_bfloat16(block: np.ndarray) -> np.ndarray:
    """float32 to bfloat16 bits. Adding half of the last kept bit, less one where that bit is even, rounds to nearest
    with ties to even; a NaN could carry into the exponent, so its payload is set aside."""
    import numpy as np

    bits = np.ascontiguousarray(block, "<f4").view("<u4")
    rounded: np.ndarray = ((bits + (((bits >> 16) & 1) + 0x7FFF)) >> 16).astype("<u2")
    nan = np.isnan(block)
    if nan.any():
        rounded[nan] = ((bits[nan] >> 16) | 0x40).astype("<u2")
    return rounded


def _round_to_odd(block: np.ndarray) -> np.ndarray:
    """float64 to float32 towards zero, the last bit set when digits were lost: a second rounding is then exact
    (Boldo and Melquiond, 2008), where rounding twice to nearest is not."""
    import numpy as np

    nearest = block.astype("<f4")
    bits = nearest.view("<u4").copy()
    exact = nearest.astype("<f8") == block
    # Where the nearest value is larger in magnitude, step one unit towards zero; infinities step to the largest number.
    bits[np.abs(nearest.astype("<f8")) > np.abs(block)] -= 1
    bits[~exact & ~np.isnan(block)] |= 1
    return bits.view("<f4")


#: Of the dtypes with two bytes: the bits of the exponent, which are all set in NaN and infinity.
_EXPONENTS = {"bfloat16": 0x7F80, "float16": 0x7C00}


def count_nonfinite(block: np.ndarray, dtype: str) -> int:
    """How many elements are NaN or infinite. The extremes show quickly when none is: NaN is both where there is one."""
    import numpy as np

    if not block.size or dtype not in FLOATING:
        return 0
    if dtype in _EXPONENTS:
        mask = np.uint16(_EXPONENTS[dtype])
        exponents = block.view("<u2") & mask
        return int(np.count_nonzero(exponents == mask)) if exponents.max() == mask else 0
    if np.isfinite(block.max()) and np.isfinite(block.min()):
        return 0
    return int(np.count_nonzero(~np.isfinite(block)))
