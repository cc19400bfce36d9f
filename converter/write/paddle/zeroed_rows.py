"""Rows of tables for which Paddle's lookup gives zeros: where OUTPUT's are not zero, PyTorch reads something else."""

from __future__ import annotations

from collections.abc import Iterator

from converter.plan.make_back_plan import BackPlan


def warn_of_zeroed_rows(plan: BackPlan) -> Iterator[str]:
    """Reads those rows alone."""
    import numpy as np

    for each in plan.zeroed:
        table = each.tensor.source.read()
        # Of bfloat16 the bits are there: -0.0 alone is a zero that has some, and reads as one in both.
        if each.row < len(table) and np.any(table[each.row]):
            yield (
                f"{each.tensor.target}: row {each.row}, that of [PAD], is not zero. It is kept, and PaddleNLP's lookup "
                "gives zeros for it: with an attention_mask nothing but the outputs at padded positions depends on it"
            )
