"""Find NaN and infinity in SOURCE's weights, which prevent a comparison of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from converter.common.errors import Problem, ReferenceFailure
from converter.files.tensors import FLOATING
from verify.weights.check_weights import as_bits

if TYPE_CHECKING:
    import numpy as np

    from converter.plan.plan import Plan

#: The bits of the exponent: all of them are set in NaN and infinity, and in nothing else.
_EXPONENT = {"float16": 0x7C00, "bfloat16": 0x7F80, "float32": 0x7F800000, "float64": 0x7FF0000000000000}
_BLOCK = 1 << 22
_LISTED = 3


def count_not_finite(array: np.ndarray, dtype: str) -> int:
    """How many elements are NaN or infinite; bfloat16 as its bits."""
    import numpy as np

    flat = as_bits(np.ravel(array, order="K"), dtype)
    mask = flat.dtype.type(_EXPONENT[dtype])
    return sum(
        int(np.count_nonzero((flat[start : start + _BLOCK] & mask) == mask)) for start in range(0, len(flat), _BLOCK)
    )


def explain_not_finite(plan: Plan, weights_agree: bool) -> ReferenceFailure | None:
    """The reason why the reference gave no numbers, if it lies in SOURCE's weights; None if they are all finite."""
    found = []
    for planned in plan.tensors:
        source = planned.source
        count = count_not_finite(source.read(), source.dtype) if source.dtype in FLOATING else 0
        if count:
            found.append(f"{source.name} ({count} of {source.read().size})")
    if not found:
        return None
    more = f" and {len(found) - _LISTED} more tensors" if len(found) > _LISTED else ""
    advice = (
        "OUTPUT's weights are SOURCE's, bit for bit: --static-only ends with exit code 0"
        if weights_agree
        else ("--static-only compares the bytes of the weights")
    )
    text = f"SOURCE has NaN or infinity in {', '.join(found[:_LISTED])}{more}: through them every number is lost in "
    return ReferenceFailure(Problem("E608", f"{text}Paddle as in PyTorch, and none can be compared. {advice}"))
