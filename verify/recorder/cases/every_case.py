"""All cases of a model: each fault of a weight, of a config field or of a rule changes the outputs of at least one."""

from __future__ import annotations

from typing import Any

from verify.recorder.cases.case_builder import CaseBuilder
from verify.recorder.cases.losses import add_losses
from verify.recorder.cases.masks import add_flat_masks, add_masks
from verify.recorder.families.family import Family


def build_cases(
    family: Family, model: Any, sentences: list[list[int]], precision: str, seed: int, offset: int
) -> list[dict[str, Any]]:
    """The cases in the order in which they are run. All draw from one generator: the order decides their numbers."""
    builder = CaseBuilder(family, model, sentences, precision, seed, offset)
    builder.texts(min(24, builder.longest))
    if family.inputs.every_mask:
        add_masks(builder, min(14, builder.longest))
    else:
        add_flat_masks(builder, min(14, builder.longest))
    builder.positions_and_vectors(min(12, builder.longest))
    builder.types(min(12, builder.longest))
    builder.extremes()
    builder.lengths()
    builder.words()
    add_losses(builder, min(10, builder.longest))
    return builder.cases
