"""How much of an error of the embeddings arrives at each site: the condition of this network, from Paddle itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from verify.protocol.projections import seeded
from verify.recorder.gradients import WITHOUT_POOLER, gradients_of, keeps_whole

# Rounding errors of one operation are known in advance. What the layers behind it make of them is not: it depends on
# the weights. So a case runs twice, the second time with embeddings that differ by the root of the rounding unit.


def measure_growth(probe: Any, case: Any, pooler: bool) -> Any:
    """{"sites": site -> relative change, "gradients": parameter -> largest change}, each for a relative change of 1 of
    the embeddings. Of both, 1 is a change by the largest value that there is."""
    first = dict(probe.run(case))
    before = gradients_at(probe, case, pooler)
    step = float(np.sqrt(np.finfo(probe.precision).eps))
    probe.disturbance = disturb_by(step, first["hidden_states.0"])
    try:
        second = dict(probe.run(case))
        after = gradients_at(probe, case, pooler)
    finally:
        probe.disturbance = None
    found = relative_change(first["hidden_states.0"], second["hidden_states.0"])
    sites = dict((name, relative_change(first[name], second[name]) / found) for name in first)
    gradients = {}
    for name, parts in before.items():
        changes = [largest(after[name][part] - parts[part]) for part in parts if part in ("whole", "right", "left")]
        gradients[name] = max(changes) / found
    return {"sites": sites, "gradients": gradients}


def gradients_at(probe: Any, case: Any, pooler: bool) -> Any:
    whole = keeps_whole(dict((name, part.shape) for name, part in probe.model.named_parameters()))
    return gradients_of(probe, case, pooler and type(probe.model).__name__ not in WITHOUT_POOLER, whole)


def disturb_by(step: float, embeddings: Any) -> Any:
    import paddle

    change = seeded("growth", embeddings.shape, embeddings.dtype.name) * (step * largest(embeddings))
    return lambda output: output + paddle.to_tensor(change.astype(embeddings.dtype))


def relative_change(first: Any, second: Any) -> float:
    return largest(second - first) / (largest(first) or 1.0)


def largest(value: Any) -> float:
    return float(np.abs(value).max()) if value.size else 0.0
