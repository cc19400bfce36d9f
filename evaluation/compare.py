"""The two sides' answers to the same examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from evaluation.answered import Answered
from evaluation.prepared import Prepared
from evaluation.results import Differing, LanguageResult
from verify.protocol.evaluation_job import LAYERS, Job

if TYPE_CHECKING:
    import numpy as np


def compare_answers(
    paddle: Answered | None,
    torch: Answered,
    largest_tie: float,
    max_abs: float,
    prepared: Prepared,
) -> LanguageResult:
    """Compare one language. `largest_tie` is relative to the largest value.

    Agreement is counted by predictions, so metrics that agree by luck are none.
    """
    import numpy as np

    if paddle is None:
        return LanguageResult(torch.language, torch.view, len(torch.rows), torch.metrics)
    limit = largest_tie * max(paddle.scale, torch.scale)
    other = np.flatnonzero(paddle.chosen != torch.chosen)
    near = (paddle.margin <= limit) & (torch.margin <= limit)
    differ = tuple(
        Differing(
            place=prepared.places[torch.rows[n]],
            view=torch.view,
            paddle=_name(prepared, torch.rows, int(paddle.chosen[n])),
            torch=_name(prepared, torch.rows, int(torch.chosen[n])),
            paddle_margin=float(paddle.margin[n]),
            torch_margin=float(torch.margin[n]),
            tie=bool(near[n]),
        )
        for n in other
    )
    return LanguageResult(
        torch.language,
        torch.view,
        examples=len(torch.rows),
        torch=torch.metrics,
        paddle=paddle.metrics,
        agree=len(torch.rows) - len(other),
        ties=sum(one.tie for one in differ),
        max_abs=max_abs,
        smallest_margin=float(min(paddle.margin.min(), torch.margin.min())),
        tie_below=limit,
        differ=tuple(sorted(differ, key=lambda one: one.tie)),
    )


def _name(prepared: Prepared, rows: Sequence[int], choice: int) -> str:
    """A choice in words: a label, or the place of a sentence among those of its language."""
    return prepared.labels[choice] if prepared.labels else prepared.places[rows[choice]]


def difference_of(
    job: Job, paddle: Mapping[str, np.ndarray], torch: Mapping[str, np.ndarray], answered: Answered
) -> float:
    """The largest absolute difference between the two sides' numbers for the examples of one language and view."""
    import numpy as np

    rows, names = np.array(answered.rows), list(torch)
    if job.kind == LAYERS:  # Two sentences each; a view is of one layer.
        rows, names = np.concatenate([2 * rows, 2 * rows + 1]), [answered.view.split(",")[0]]
    found = [paddle[name][rows].astype(np.float64) - torch[name][rows].astype(np.float64) for name in names]
    return float(max(np.abs(difference).max() for difference in found))
