"""The two sides' answers to the same examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from evaluation.answered import Answered
from evaluation.results import Differing, LanguageResult

if TYPE_CHECKING:
    import numpy as np

Arrays = Mapping[str, "np.ndarray"]
#: (example, number of a choice) -> its name in a report.
Name = Callable[[int, int], str]


def compare_answers(
    paddle: Answered, torch: Answered, largest_tie: float, max_abs: float, places: list[str], name: Name
) -> LanguageResult:
    """Compare one language in one view. `largest_tie` is relative to the largest value.

    An example agrees when all its choices are the same; it is a tie when those that are not had margins below the noise
    on both sides. Metrics that are equal by luck are no agreement.
    """
    import numpy as np

    limit = largest_tie * max(paddle.scale, torch.scale)
    other = paddle.chosen != torch.chosen
    near = (paddle.margin <= limit) & (torch.margin <= limit)
    differ = tuple(
        Differing(
            place=places[torch.rows[n]],
            view=torch.view,
            paddle=name(int(torch.rows[n]), int(paddle.chosen[n])),
            torch=name(int(torch.rows[n]), int(torch.chosen[n])),
            paddle_margin=float(paddle.margin[n]),
            torch_margin=float(torch.margin[n]),
            tie=bool(near[n]),
        )
        for n in np.flatnonzero(other)
    )
    wrong = np.unique(torch.rows[other & ~near])
    tied = np.setdiff1d(torch.rows[other & near], wrong)
    examples = len(np.unique(torch.rows))
    return LanguageResult(
        torch.language,
        torch.view,
        examples=examples,
        torch=torch.metrics,
        paddle=paddle.metrics,
        agree=examples - len(wrong) - len(tied),
        ties=len(tied),
        max_abs=max_abs,
        smallest_margin=float(min(paddle.margin.min(), torch.margin.min())),
        tie_below=limit,
        differ=tuple(sorted(differ, key=lambda one: one.tie)),
    )


def result_alone(torch: Answered) -> LanguageResult:
    """The result of one side, where there is nothing to compare with."""
    import numpy as np

    return LanguageResult(torch.language, torch.view, len(np.unique(torch.rows)), torch.metrics)


def largest_difference(paddle: Arrays, torch: Arrays, answered: Answered) -> tuple[float, float]:
    """The largest absolute difference between the two sides' numbers behind some answers, and the largest number."""
    import numpy as np

    pairs = [
        (paddle[name][answered.where].astype(np.float64), torch[name][answered.where].astype(np.float64))
        for name in answered.arrays
    ]
    difference = max(np.abs(one - other).max(initial=0.0) for one, other in pairs)
    return float(difference), float(max(np.abs(one).max(initial=0.0) for one, _ in pairs))


def describe_other_numbers(result: LanguageResult, noise: float) -> str:
    """A warning: the answers are the same by luck."""
    where = result.language + (f" ({result.view})" if result.view else "")
    text = f"{where}: the answers agree, and the numbers behind them differ by up to {result.max_abs:.1e}"
    return f"{text}, more than roundings do ({noise:.1e}): `paddle2torch verify` finds where"
