"""The rows of a result, which terminal, page, summary and card print."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from verify.report.groups import group_sites
from verify.results.numbers import DEFAULT_LOAD, GradientResult, ModeResult, SiteResult, share_of_limit
from verify.results.report import Report


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
        rows.append(_count("weights", f"{static.tensors} tensors{rounded}", len(static.mismatched)))
    for group, sites in group_sites(report.sites):
        worst, failed = max(sites, key=share_of_limit), sum(not site.passed for site in sites)
        rows.append(_measure(group, f"{len(sites)} sites", failed, worst, worst.site))
    if gradients:
        tensors = {result.tensor for result in gradients}
        failed = len({result.tensor for result in gradients if not result.passed})
        nearest = max(gradients, key=share_of_limit)
        rows.append(_measure("gradients", f"{len(tensors)} tensors", failed, nearest, nearest.tensor))
    rows += _mode_rows(report.uses)
    if tokens is not None:
        rows.append(_count("tokens", f"{tokens.texts} texts", tokens.mismatched))
    return rows


def _measure(what: str, looked_at: str, failed: int, worst: SiteResult | GradientResult, name: str) -> Row:
    measured = "-" if worst.max_rel is None else "0" if worst.max_rel == 0 else f"{worst.max_rel:.1e}"
    return Row(what, looked_at, failed, measured, worst.tolerance, f"{name}, {worst.case}")


def _count(what: str, looked_at: str, wrong: int) -> Row:
    return Row(what, looked_at, wrong, f"{wrong} differ")


def _mode_rows(modes: Mapping[str, ModeResult]) -> Iterator[Row]:
    """All ways to call the model in one row; in another one what from_pretrained gives by default."""
    others = [mode for name, mode in modes.items() if name != DEFAULT_LOAD]
    default = [mode for name, mode in modes.items() if name == DEFAULT_LOAD]
    for title, chosen, what in (("other uses", others, "sites"), (DEFAULT_LOAD, default, "tensors and sites")):
        if chosen:
            compared, wrong = sum(mode.compared for mode in chosen), sum(mode.differ for mode in chosen)
            yield _count(title, f"{compared} {what}", wrong)


def modes_not_run(modes: Mapping[str, ModeResult]) -> Sequence[str]:
    """Each execution mode that was skipped, with the reason."""
    return [f"{name} ({mode.skipped})" for name, mode in modes.items() if mode.skipped]
