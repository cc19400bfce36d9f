"""Tensors that a source stores more than once: the copies must be equal, for one of them alone is written."""

from __future__ import annotations

from converter.common.errors import PlanError, Problem
from converter.files.regular_files import quoted
from converter.files.same_bytes import have_same_bytes
from converter.plan.plan import Plan


def check_copies(plan: Plan) -> list[str]:
    """Reads both of each pair. Returns warnings of those that may differ and do. Raises PlanError for the others."""
    warnings: list[str] = []
    problems = []
    for one, other in plan.copies:
        if not have_same_bytes(one, other):
            both = f"{quoted(one.name, 200)} and {quoted(other.name, 200)}"
            if other.name in plan.may_differ:
                warnings.append(f"{both} should be one weight, and differ: {plan.may_differ[other.name]}")
            else:
                problems.append(Problem("E306", f"{both} should be one weight, and differ. Which is the model's?"))
    if problems:
        raise PlanError(*problems)
    return warnings
