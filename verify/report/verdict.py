"""The verdict of a report in words, the same for terminal, page, JUnit and summary."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from converter.plan.inner_tensors import count_left_inside
from verify.results.report import NUMBERS, TOKENS, WEIGHTS, Report

_NAMED = 5


@dataclass(frozen=True)
class Verdict:
    """`kind` is "good", "bad", or "partly": a pass of less than the whole model."""

    kind: str
    word: str
    sentence: str
    #: What was checked and what was not.
    scope: str

    @property
    def headline(self) -> str:
        return f"{self.opening} {self.sentence}"

    @property
    def opening(self) -> str:
        """The word with what joins it to the sentence."""
        return self.word + ("," if self.sentence.startswith("but ") else ":")


def verdict_of(report: Report) -> Verdict:
    """A pass covers the whole model only when weights, numbers and tokens were checked, and its code is ours."""
    checked = [f"{name} ({report.precision})" if name == NUMBERS else name for name in report.checked]
    unchecked = [name for name in (WEIGHTS, NUMBERS, TOKENS) if name not in report.checked]
    scope = f"Looked at: {', '.join(checked) or 'nothing'}."
    scope += f" Not looked at: {', '.join(unchecked)}." if unchecked else ""
    if report.unjudged:
        missed = "no difference was found, but the verifier missed faults that it planted itself"
        return Verdict("partly", "NOT PROVEN", missed, scope)
    if not report.passed:
        return Verdict("bad", "FAILED", "OUTPUT is not the same model", scope)
    reservations = [tell_foreign(report.foreign_code)] if report.foreign_code else []
    if report.left_inside:
        reservations.append(f"but without {count_left_inside(report.left_inside)}, left out on request")
    if reservations:
        return Verdict("partly", "PASSED", "; ".join(reservations), scope)
    if unchecked:
        return Verdict("partly", "PASSED", "nothing wrong in what was looked at", scope)
    return Verdict("good", "PASSED", "OUTPUT is the same model", scope)


def tell_foreign(names: Iterable[str]) -> str:
    """What a pass does not prove where OUTPUT has code that is not this tool's."""
    named = sorted(names)
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return f"but the code is not paddle2torch's own: {', '.join(named[:_NAMED])}{more}"
