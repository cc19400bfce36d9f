"""Whether another mask would change the metric: Baidu's recipe trains with a mask of ones and deploys without one."""

from __future__ import annotations

from collections.abc import Sequence

from evaluation.answered import Answered
from evaluation.results import LanguageResult


def warn_of_mask(results: Sequence[LanguageResult], others: Sequence[Answered], rule: str) -> list[str]:
    """A warning when OUTPUT's metric in the first view is another with the mask `rule`; `others` has those."""
    first = results[0].view
    before = [one.torch for one in results if one.view == first]
    after = [one.metrics for one in others if one.view == first]
    name = next(iter(before[0]))
    shares = [sum(metrics[name] for metrics in each) / len(each) for each in (before, after)]
    if [dict(one) for one in before] == [dict(one) for one in after]:
        return []
    text = f"the mask changes the metric: with --mask {rule} OUTPUT's {name.replace('_', ' ')}"
    return [f"{text} is {100 * shares[1]:.2f} %, not {100 * shares[0]:.2f} %. How was the model trained?"]
