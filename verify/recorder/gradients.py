"""Gradients of a seeded functional of all outputs, and of the class's own loss: whole, or projected where large."""

from __future__ import annotations

from typing import Any

import numpy as np

from verify.protocol.gradient_functional import is_table, keep_gradient
from verify.protocol.messages import report_progress

#: Of one case: smaller models keep every element of every gradient, larger ones products of rows and columns.
GRADIENT_BYTES = 1 << 20
#: Their pooler has no part in the PyTorch class.
WITHOUT_POOLER = ("ErnieMForTokenClassification", "ErnieMForQuestionAnswering")


def keeps_whole(shapes: Any) -> bool:
    """Whether a model is so small that its gradients are kept whole. Of the tables only rows in use count."""
    return sum(int(np.prod(shape)) * 8 for name, shape in shapes.items() if not is_table(name)) <= GRADIENT_BYTES


def record_gradients(probe: Any, cases: Any, pooler: bool) -> Any:
    """(case, of the loss?, parameter -> part -> array) of every case that asks for gradients."""
    pooler = pooler and type(probe.model).__name__ not in WITHOUT_POOLER
    whole = keeps_whole(dict((name, part.shape) for name, part in probe.model.named_parameters()))
    for case in cases:
        if case.get("gradient"):
            report_progress("Paddle: gradients of case " + case["name"])
            yield case, case["gradient"] == "loss", gradients_of(probe, case, pooler, whole)


def gradients_of(probe: Any, case: Any, pooler: bool, whole: bool) -> Any:
    """parameter -> part -> array."""
    found = {}

    def keep(name: str, gradient: Any) -> None:
        laid_out = probe.rows_in_use(name, gradient) if is_table(name) else gradient.numpy()
        found[name] = keep_gradient(name, laid_out, whole)

    probe.run_back(case, case["gradient"] == "loss", pooler, keep)
    return found
