"""What a plan would write, as arrays."""

from __future__ import annotations

import numpy as np

from converter.plan.plan import Plan
from mappings import OPERATIONS


def planned(plan: Plan) -> dict[str, np.ndarray]:
    """Target -> its array."""
    return {tensor.target: OPERATIONS[tensor.op].apply(tensor.source.read()) for tensor in plan.tensors}


def assert_same(one: Plan, other: Plan, *without: str) -> None:
    """Both write the same tensors; the second may have more whose names hold one of these texts."""
    ours, theirs = planned(one), planned(other)
    assert ours.keys() == {name for name in theirs if not any(text in name for text in without)}
    for name, array in ours.items():
        np.testing.assert_array_equal(array, theirs[name], strict=True, err_msg=name)
