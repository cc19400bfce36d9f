"""The verdict and the rows of a report, which terminal, page, JUnit, summary and card print."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from converter.common.printable import counted
from converter.plan.inner_tensors import count_left_inside
from verify.report.groups import group_from_text, group_sites
from verify.report.tensor_groups import by_tensor, count_failed
from verify.results.numbers import BASE_LOAD, DEFAULT_LOAD, GradientResult, ModeResult, SiteResult, share_of_limit
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
        missed = "no difference was found, but the verifier missed faults that it injected itself"
        return Verdict("partly", "NOT PROVEN", missed, scope)
    if not report.passed:
        return Verdict("bad", "FAILED", "OUTPUT is not the same model", scope)
    reservations = [describe_foreign(report.foreign_code)] if report.foreign_code else []
    if report.left_inside:
        reservations.append(f"but without {count_left_inside(report.left_inside)}, left out on request")
    if reservations:
        return Verdict("partly", "PASSED", "; ".join(reservations), scope)
    if unchecked:
        return Verdict("partly", "PASSED", "nothing wrong in what was looked at", scope)
    return Verdict("good", "PASSED", "OUTPUT is the same model", scope)


def describe_foreign(names: Iterable[str]) -> str:
    """What a pass does not prove where OUTPUT has code that is not this tool's."""
    named = sorted(names)
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return f"but the code is not paddle2torch's own: {', '.join(named[:_NAMED])}{more}"


@dataclass(frozen=True)
class Row:
    """One kind of comparison. `worst` is the difference that is nearest to its own `limit`, or above it; where nothing
    may differ, it is the number of differences and the limit is 0."""

    what: str
    looked_at: str
    failed: int
    worst: str
    limit: float = 0.0
    #: Site or tensor, and case, of the worst.
    where: str = ""

    @property
    def cells(self) -> tuple[str, str, str, str, str]:
        """The row as it is printed."""
        return self.what, self.looked_at, self.worst, f"{self.limit:.0e}" if self.limit else "0", self.word

    @property
    def word(self) -> str:
        return f"{self.failed} FAILED" if self.failed else "ok"


def result_rows(report: Report) -> list[Row]:
    """Weights, sites by kind, gradients, execution modes and tokens, as far as they were compared."""
    rows = []
    static, gradients, tokens = report.static, report.gradients, report.tokenizer
    if static is not None:
        rounded = f", {static.rounded} rounded" if static.rounded else ""
        rows.append(_count("weights", counted(static.tensors, "tensor") + rounded, len(static.mismatched)))
    texts, astray = tokens.from_text if tokens is not None else (0, 0)
    for group, sites in group_sites(report):
        worst, failed = max(sites, key=share_of_limit), sum(not site.passed for site in sites)
        looked_at = counted(len(sites), "site")
        if astray and group == group_from_text(report):
            looked_at, failed = f"{looked_at}, {texts} from text", failed + astray
        rows.append(_measure(group, looked_at, failed, worst, worst.site))
    if gradients:
        tensors, nearest = by_tensor(gradients), max(gradients, key=share_of_limit)
        rows.append(
            _measure("gradients", counted(len(tensors), "tensor"), count_failed(gradients), nearest, nearest.tensor)
        )
    rows += _mode_rows(report.uses)
    if tokens is not None:
        rows.append(_count("tokens", counted(tokens.texts, "text"), tokens.mismatched))
    return rows


def _measure(what: str, looked_at: str, failed: int, worst: SiteResult | GradientResult, name: str) -> Row:
    measured = "-" if worst.max_rel is None else "0" if worst.max_rel == 0 else f"{worst.max_rel:.1e}"
    return Row(what, looked_at, failed, measured, worst.tolerance, f"{name}, {worst.case}")


def _count(what: str, looked_at: str, wrong: int) -> Row:
    return Row(what, looked_at, wrong, f"{wrong} differ")


def _mode_rows(modes: Mapping[str, ModeResult]) -> Iterator[Row]:
    """All ways to call the model in one row; in others what from_pretrained gives by default, and AutoModel's."""
    others = [mode for name, mode in modes.items() if name not in (DEFAULT_LOAD, BASE_LOAD)]
    default, base = ([mode for name, mode in modes.items() if name == load] for load in (DEFAULT_LOAD, BASE_LOAD))
    both = "tensors and sites"
    for title, chosen, what in (
        ("other uses", others, "sites"),
        (DEFAULT_LOAD, default, both),
        (BASE_LOAD, base, both),
    ):
        if chosen:
            compared, wrong = sum(mode.compared for mode in chosen), sum(mode.differ for mode in chosen)
            yield _count(title, f"{compared} {what}", wrong)


def modes_not_run(modes: Mapping[str, ModeResult]) -> Sequence[str]:
    """Each execution mode that was skipped, with the reason."""
    return [f"{name} ({mode.skipped})" for name, mode in modes.items() if mode.skipped]
