"""The precisions of a comparison, and the rounding unit of every dtype."""

from __future__ import annotations

PRECISIONS = ("float64", "float32")
#: dtype -> half the distance from 1 to the next number.
UNITS = {"float64": 2.0**-53, "float32": 2.0**-24, "float16": 2.0**-11, "bfloat16": 2.0**-8}
