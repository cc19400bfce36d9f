"""What report.html, junit.xml and the summary say alike: the verdict in words, and the sites by kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from converter.plan.inner_tensors import count_left_inside, read_left_inside
from verify.report.terminal import group_sites, tell_foreign
from verify.results.numbers import SiteResult, share_of_limit
from verify.results.report import MISSED, NUMBERS, TOKENS, WEIGHTS


@dataclass(frozen=True)
class Verdict:
    """`kind` is "good", "bad", or "partly": a pass of less than the whole model."""

    kind: str
    word: str
    sentence: str
    scope: str

    @property
    def headline(self) -> str:
        return f"{self.opening} {self.sentence}"

    @property
    def opening(self) -> str:
        """The word with what joins it to the sentence."""
        return self.word + ("," if self.sentence.startswith("but ") else ":")


@dataclass(frozen=True)
class GroupRow:
    """Sites of one kind, and the one that is nearest to its limit, or above it."""

    name: str
    sites: int
    measured: float | None
    limit: float
    where: str
    failed: int


def verdict_of(report: Mapping[str, Any]) -> Verdict:
    """A pass speaks of the whole model only when weights, numbers and tokens were looked at, and its code is ours."""
    seen = [f"{name} ({report['precision']})" if name == NUMBERS else name for name in report["checked"]]
    unseen = [name for name in (WEIGHTS, NUMBERS, TOKENS) if name not in report["checked"]]
    scope = f"Looked at: {', '.join(seen) or 'nothing'}." + (f" Not looked at: {', '.join(unseen)}." if unseen else "")
    if report["problems"] and all(problem["code"] == MISSED for problem in report["problems"]):
        missed = "no difference was found, but the verifier missed faults that it planted itself"
        return Verdict("partly", "NOT PROVEN", missed, scope)
    if not report["passed"]:
        return Verdict("bad", "FAILED", "OUTPUT is not the same model", scope)
    reservations = [tell_foreign(report["foreign_code"])] if report.get("foreign_code") else []
    left = read_left_inside(report)
    if left:
        reservations.append(f"but without {count_left_inside(left)}, which OUTPUT leaves out on request")
    if reservations:
        return Verdict("partly", "PASSED", "; ".join(reservations), scope)
    if unseen:
        return Verdict("partly", "PASSED", "nothing wrong in what was looked at", scope)
    return Verdict("good", "PASSED", "OUTPUT is the same model", scope)


def read_sites(report: Mapping[str, Any]) -> list[SiteResult]:
    """The sites as report.json holds them."""
    return [SiteResult(**{**site, "worst": tuple(site.get("worst", ()))}) for site in report["sites"]]


def group_rows(sites: Sequence[SiteResult]) -> list[GroupRow]:
    rows = []
    for name, found in group_sites(list(sites)):
        worst = max(found, key=share_of_limit)
        failed = sum(not site.passed for site in found)
        where = f"{worst.site}, {worst.case}"
        rows.append(GroupRow(name, len(found), worst.max_rel, worst.tolerance, where, failed))
    return rows
