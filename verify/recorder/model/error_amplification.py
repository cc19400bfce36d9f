"""Measure, in Paddle, how much a small change of the embeddings is amplified at each activation and gradient.

Rounding errors of one operation are known in advance. What the layers after it make of them depends on the weights. So
a case runs twice, the second time with embeddings that differ by the square root of the rounding unit. An error that
arises behind the layers may be amplified more than one that comes through them: a family names where else to look.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from verify.protocol.projections import seeded
from verify.recorder.model.activations import Activations, Case
from verify.recorder.model.gradients import gradients_of

Factors = Any  # Name -> factor.


def measure_amplification(
    activations: Activations, case: Case, pooler: bool, first: dict[str, Any], before: dict[str, Any]
) -> dict[str, dict[str, float]]:
    """{"sites": site -> relative change, "gradients": parameter -> largest change}, each for a relative change of 1 of
    the embeddings, or of another disturbed site before it where that is more. In both, 1 is a change by the largest
    value that there is. `first`, `before`: the case's activations and gradients."""
    sites: dict[str, float] = {}
    gradients: dict[str, float] = {}
    for point in activations.disturbed:
        more, further = amplified_from(point.site, activations, case, pooler, first, before)
        sites = larger(sites, more)
        gradients = larger(gradients, further)
    return {"sites": sites, "gradients": gradients}


def amplified_from(
    site: str, activations: Activations, case: Case, pooler: bool, first: Any, before: Any
) -> tuple[Factors, Factors]:
    """The factors of sites and gradients for a change at one site; `first`, `before`: both without it."""
    step = float(np.sqrt(np.finfo(activations.precision).eps))
    activations.disturbances[site] = disturb_by(step, first[site])
    try:
        sites, after = gradients_of(activations, case, pooler)
    finally:
        del activations.disturbances[site]
    second = dict(sites)
    found = relative_change(first[site], second[site])
    changed = {name: relative_change(first[name], second[name]) / found for name in first}
    gradients = {}
    for name, parts in before.items():
        changes = [largest(after[name][part] - parts[part]) for part in parts if part in ("whole", "right", "left")]
        gradients[name] = max(changes) / found
    return changed, gradients


def larger(one: Factors, other: Factors) -> Factors:
    """The larger factor of each name."""
    return {name: max(one.get(name, 0.0), factor) for name, factor in other.items()}


def disturb_by(step: float, values: Any) -> Any:
    """A function that adds a seeded change to Paddle's tensor of these values, `step` times their largest one."""
    import paddle

    change = seeded("growth", values.shape, values.dtype.name) * (step * largest(values))
    return lambda output: output + paddle.to_tensor(change.astype(values.dtype))


def relative_change(first: Any, second: Any) -> float:
    """The largest difference, relative to the largest value of `first`."""
    return largest(second - first) / (largest(first) or 1.0)


def largest(value: Any) -> float:
    """The largest absolute value; 0 of an empty array."""
    return float(np.abs(value).max()) if value.size else 0.0
