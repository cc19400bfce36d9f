"""Measure, in Paddle, how much a small change of the embeddings is amplified at each activation and gradient.

Rounding errors of one operation are known in advance. What the layers after it make of them depends on the weights. So
a case runs twice, the second time with embeddings that differ by the square root of the rounding unit.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from verify.protocol.projections import seeded
from verify.recorder.model.activations import Activations, Case
from verify.recorder.model.gradients import gradients_of


def measure_amplification(activations: Activations, case: Case, pooler: bool) -> dict[str, dict[str, float]]:
    """{"sites": site -> relative change, "gradients": parameter -> largest change}, each for a relative change of 1 of
    the embeddings. In both, 1 is a change by the largest value that there is."""
    first = dict(activations.run(case))
    before = gradients_of(activations, case, pooler)
    step = float(np.sqrt(np.finfo(activations.precision).eps))
    activations.disturbance = disturb_by(step, first["hidden_states.0"])
    try:
        second = dict(activations.run(case))
        after = gradients_of(activations, case, pooler)
    finally:
        activations.disturbance = None
    found = relative_change(first["hidden_states.0"], second["hidden_states.0"])
    sites = {name: relative_change(first[name], second[name]) / found for name in first}
    gradients = {}
    for name, parts in before.items():
        changes = [largest(after[name][part] - parts[part]) for part in parts if part in ("whole", "right", "left")]
        gradients[name] = max(changes) / found
    return {"sites": sites, "gradients": gradients}


def disturb_by(step: float, embeddings: Any) -> Any:
    """A function that adds a seeded change to Paddle's tensor of embeddings, `step` times their largest value."""
    import paddle

    change = seeded("growth", embeddings.shape, embeddings.dtype.name) * (step * largest(embeddings))
    return lambda output: output + paddle.to_tensor(change.astype(embeddings.dtype))


def relative_change(first: Any, second: Any) -> float:
    """The largest difference, relative to the largest value of `first`."""
    return largest(second - first) / (largest(first) or 1.0)


def largest(value: Any) -> float:
    """The largest absolute value; 0 of an empty array."""
    return float(np.abs(value).max()) if value.size else 0.0
