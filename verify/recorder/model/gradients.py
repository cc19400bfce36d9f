"""Gradients of the seeded functional of all outputs, and of the class's own loss: whole, or projected where large."""

from __future__ import annotations

from typing import Any

import numpy as np

from verify.protocol.gradient_functional import is_table, keep_gradient
from verify.recorder.model.activations import Activations, Case

#: Of one case: models whose gradients are smaller keep every element, larger ones products of rows and columns.
GRADIENT_BYTES = 1 << 20


def keeps_whole(model: Any) -> bool:
    """Whether a model is so small that its gradients are kept whole. Of the tables only rows in use count."""
    shapes = {name: part.shape for name, part in model.named_parameters()}
    return sum(int(np.prod(shape)) * 8 for name, shape in shapes.items() if not is_table(name)) <= GRADIENT_BYTES


def gradients_of(activations: Activations, case: Case, pooler: bool) -> tuple[list[tuple[str, Any]], dict[str, Any]]:
    """Site and array, as of the case alone; and parameter -> part -> array. `pooler`: whether the weights have one."""
    whole = keeps_whole(activations.model)
    found = {}

    def keep(name: str, gradient: Any) -> None:
        laid_out = activations.rows_in_use(name, gradient) if is_table(name) else gradient.numpy()
        found[name] = keep_gradient(name, laid_out, whole)

    through_pooler = pooler and activations.model_class.target_has_pooler
    sites = activations.run_back(case, case["gradient"] == "loss", through_pooler, keep)
    # They are complete in the order of the network from its end.
    return sites, {name: found[name] for name, _ in activations.model.named_parameters() if name in found}
