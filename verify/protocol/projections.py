"""Seeded coefficients, and what they make of large arrays: a trace stays small, and no element goes unseen."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

#: Sites larger than this are kept as products of their last axis with seeded columns.
WHOLE_BYTES = 32 << 10
PROJECTIONS = 2


def seeded(name: str, shape: Any, precision: str) -> Any:
    """Coefficients between 0.5 and 1.5 of either sign, by a name: away from 0, so that each element has its share.

    numpy promises that RandomState gives the same numbers in every version, and these are exact in binary.
    """
    drawn = 2.0 * np.random.RandomState(zlib.crc32(name.encode("ascii"))).random_sample(shape) - 1.0
    return (drawn + np.where(drawn < 0.0, -0.5, 0.5)).astype(precision)


def is_large(value: Any) -> bool:
    return bool(value.nbytes > WHOLE_BYTES and value.ndim > 1 and value.shape[-1] > PROJECTIONS)


def project(value: Any, count: int = PROJECTIONS) -> Any:
    """[..., n] -> [..., count]."""
    width = value.shape[-1]
    return value.dot(seeded(f"columns.{width}", (width, count), value.dtype.name))
