"""Tensors that a source stores more than once: the copies must be equal, for one of them alone is written."""

from __future__ import annotations

from converter.common.errors import PlanError, Problem
from converter.files.regular_files import quoted
from converter.files.tensors import SourceTensor
from converter.plan.make_plan import Plan


def check_copies(plan: Plan) -> None:
    """Reads both of each pair. Raises PlanError for those that differ."""
    problems = []
    for one, other in plan.copies:
        if not _same_values(one, other):
            both = f"{quoted(one.name, 200)} and {quoted(other.name, 200)}"
            problems.append(Problem("E306", f"{both} should be one weight, and differ. Which is the model's?"))
    if problems:
        raise PlanError(*problems)


def _same_values(one: SourceTensor, other: SourceTensor) -> bool:
    import numpy as np

    if (one.shape, one.dtype) != (other.shape, other.dtype):
        return False
    same = np.array_equal(one.read().view(np.uint8), other.read().view(np.uint8))
    return bool(same)
