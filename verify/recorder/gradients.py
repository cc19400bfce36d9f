"""Gradients of a seeded functional of all outputs, and of the class's own loss: whole, or projected where large."""

from __future__ import annotations

from typing import Any

import numpy as np

from verify.recorder.seeded import seeded

#: Of one case: smaller models keep every element of every gradient, larger ones products of rows and columns.
GRADIENT_BYTES = 1 << 20
#: What of the outputs the functional is made of. Probabilities follow from the logits.
FUNCTIONAL = ("hidden_states.", "pooler_output", "logits", "start_logits", "end_logits")
#: Their pooler has no part in the PyTorch class.
WITHOUT_POOLER = ("ErnieMForTokenClassification", "ErnieMForQuestionAnswering")
BLOCK_ROWS = 8192


def functional_sites(sites: Any, pooler: bool) -> Any:
    """The names of the outputs that the functional is made of."""
    return [name for name in sites if name.startswith(FUNCTIONAL) and (pooler or name != "pooler_output")]


def is_table(name: str) -> bool:
    return "embeddings." in name and "norm" not in name


def keeps_whole(shapes: Any) -> bool:
    """Whether a model is so small that its gradients are kept whole. Of the tables only rows in use count."""
    return sum(int(np.prod(shape)) * 8 for name, shape in shapes.items() if not is_table(name)) <= GRADIENT_BYTES


def keep_gradient(name: str, gradient: Any, whole: bool) -> Any:
    """part -> array, of one gradient as Paddle lays it out. Vectors are kept whole; of a table (a reader of its rows)
    the rows that are not 0; of a large matrix its products with a seeded vector from either side."""
    if is_table(name):
        rows = np.concatenate([start + np.flatnonzero(np.abs(block).max(axis=1)) for start, block in gradient])
        kept = [block[np.abs(block).max(axis=1) > 0] for _, block in gradient]
        values = np.concatenate(kept)
        parts = {"rows": rows.astype(np.int64)}
        parts.update({"whole": values} if whole else halves(values))
        return parts
    return {"whole": gradient} if whole or gradient.ndim == 1 else halves(gradient)


def halves(matrix: Any) -> Any:
    """[m, n] -> one number for each row, and one for each column."""
    rows, columns = matrix.shape
    precision = matrix.dtype.name
    return {
        "right": matrix.dot(seeded(f"right.{columns}", columns, precision)),
        "left": seeded(f"left.{rows}", rows, precision).dot(matrix),
    }


class Blocks:
    """A table's gradient some thousand rows at a time: the array of the whole would be a second copy."""

    def __init__(self, tensor: Any) -> None:
        self.tensor = tensor

    def __iter__(self) -> Any:
        for start in range(0, self.tensor.shape[0], BLOCK_ROWS):
            yield start, self.tensor[start : start + BLOCK_ROWS].numpy()


def record_gradients(probe: Any, cases: Any, pooler: bool, say: Any) -> Any:
    """(case, of the loss?, parameter -> part -> array) of every case that asks for gradients."""
    pooler = pooler and type(probe.model).__name__ not in WITHOUT_POOLER
    whole = keeps_whole(dict((name, part.shape) for name, part in probe.model.named_parameters()))
    for case in cases:
        if case.get("gradient"):
            say("Paddle: gradients of case " + case["name"])
            yield case, case["gradient"] == "loss", gradients_of(probe, case, pooler, whole)


def gradients_of(probe: Any, case: Any, pooler: bool, whole: bool) -> Any:
    """parameter -> part -> array."""
    found = {}

    def keep(name: str, gradient: Any) -> None:
        found[name] = keep_gradient(name, Blocks(gradient) if is_table(name) else gradient.numpy(), whole)

    probe.run_back(case, case["gradient"] == "loss", pooler, keep)
    return found
