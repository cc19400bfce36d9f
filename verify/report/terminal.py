"""A report as a table for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from converter.common.printable import printable_message
from converter.plan.inner_tensors import count_left_inside
from verify.report.messages import tell_margin, tell_self_test
from verify.results.numbers import DEFAULT_LOAD, ZERO_ROW, GradientResult, ModeResult, SiteResult, share_of_limit
from verify.results.report import NUMBERS, TOKENS, WEIGHTS, Report

_GROUPS = (
    ("word and position rows", ("word_embeddings", "position_embeddings")),
    ("embeddings", ("embeddings.sum", "hidden_states.0")),
    ("norms alone", ("norm:",)),
    ("linear layers alone", ("linear:",)),
    ("inside the layers", ("layers.",)),
    ("attention probabilities", ("attentions.",)),
    ("hidden states", ("hidden_states.",)),
    ("pooler", ("pooler_output",)),
    ("logits", ("logits", "start_logits", "end_logits")),
    ("probabilities", ("start_prob", "end_prob")),
    ("loss", ("loss",)),
)
_SHOWN = 12
_NAMED = 5


def render_table(report: Report) -> str:
    """The report for a terminal: the verdict, the worst of each kind of site, what is wrong and where to look."""
    lines = [_verdict(report), "", *_table(_rows(report)), "", f"behavior: {report.behavior}"]
    if report.reference.get("kind") not in (None, "none"):
        versions = report.reference.get("environment", {})
        lines.append(
            f"reference: PaddleNLP {versions.get('paddlenlp', '?')} on Paddle {versions.get('paddle', '?')}"
            f" ({report.reference['kind']}); {'; '.join(report.reference.get('how', []))}"
        )
    if report.margin is not None:
        lines.append(f"margin: {tell_margin(report.margin)}")
    if report.self_test is not None:
        lines.append(f"self-test: {tell_self_test(report.self_test)}")
    lines += [f"not run: {way}" for way in uses_not_run(report.uses)]
    lines += [f"warning: {warning}" for warning in report.warnings]
    lines += [str(problem) for problem in report.problems[:_SHOWN]]
    if len(report.problems) > _SHOWN:
        lines.append(f"and {len(report.problems) - _SHOWN} more problems")
    if report.folder is not None:
        lines.append(f"report: {report.folder / 'report.json'}")
    return "\n".join(map(printable_message, lines))


def uses_not_run(uses: Mapping[str, ModeResult]) -> list[str]:
    """Each use that was left out, with the reason."""
    return [f"{way} ({use.skipped})" for way, use in uses.items() if use.skipped]


def _verdict(report: Report) -> str:
    """The first line. A pass speaks of the whole model only when all three were looked at."""
    seen = [f"{name} ({report.precision})" if name == NUMBERS else name for name in report.checked]
    unseen = [name for name in (WEIGHTS, NUMBERS, TOKENS) if name not in report.checked]
    if report.unjudged:
        return "NOT PROVEN: no difference was found, but the verifier missed faults that it planted itself"
    if not report.passed:
        return f"FAILED: OUTPUT is not the same model (looked at: {', '.join(seen) or 'nothing'})"
    reservations = [tell_foreign(report.foreign_code)] if report.foreign_code else []
    if report.left_inside:
        reservations.append(f"but without {count_left_inside(report.left_inside)}, left out on request")
    if reservations:
        seen_of = f"Looked at: {', '.join(seen)}" + (f". Not looked at: {', '.join(unseen)}" if unseen else "")
        return f"PASSED, {'; '.join(reservations)}. {seen_of}"
    if not unseen:
        return f"PASSED: OUTPUT is the same model ({', '.join(seen)})"
    return f"PASSED in what was looked at: {', '.join(seen)}. Not looked at: {', '.join(unseen)}"


def tell_foreign(names: Iterable[str]) -> str:
    """What a pass does not prove where OUTPUT has code of others."""
    named = sorted(names)
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return f"but the code is not paddle2torch's own: {', '.join(named[:_NAMED])}{more}"


def _rows(report: Report) -> list[tuple[str, str, str, str, str]]:
    rows = []
    if report.static is not None:
        wrong = len(report.static.mismatched)
        what = f"{report.static.tensors} tensors" + (
            f", {report.static.rounded} rounded" if report.static.rounded else ""
        )
        rows.append(("weights", what, f"{wrong} differ", "0", "ok" if not wrong else "FAILED"))
    for group, sites in group_sites(report.sites):
        failed = sum(not site.passed for site in sites)
        rows.append((group, f"{len(sites)} sites", *_worst(sites, failed)))
    if report.gradients:
        tensors = len({result.tensor for result in report.gradients})
        failed = len({result.tensor for result in report.gradients if not result.passed})
        rows.append(("gradients", f"{tensors} tensors", *_worst(report.gradients, failed)))
    rows += rows_of_uses(report.uses)
    if report.tokenizer is not None:
        wrong = report.tokenizer.mismatched
        rows.append(
            ("tokens", f"{report.tokenizer.texts} texts", f"{wrong} differ", "0", "ok" if not wrong else "FAILED")
        )
    return rows


def rows_of_uses(uses: Mapping[str, ModeResult]) -> list[tuple[str, str, str, str, str]]:
    """All ways to call the model in one row; in another one what from_pretrained gives by default."""
    rows = []
    for title, of_default, what in (("other uses", False, "sites"), (DEFAULT_LOAD, True, "tensors and sites")):
        chosen = [use for way, use in uses.items() if (way == DEFAULT_LOAD) == of_default]
        compared, wrong = (sum(getattr(use, part) for use in chosen) for part in ("compared", "differ"))
        if chosen:
            rows.append((title, f"{compared} {what}", f"{wrong} differ", "0", "ok" if not wrong else "FAILED"))
    return rows


def _worst(results: Sequence[SiteResult | GradientResult], failed: int) -> tuple[str, str, str]:
    """What was measured where it came nearest to its limit, that limit, and the verdict."""
    worst = max(results, key=share_of_limit)
    measured = "-" if worst.max_rel is None else f"{worst.max_rel:.1e}"
    return measured, f"{worst.tolerance:.0e}", "ok" if not failed else f"FAILED ({failed})"


def group_sites(sites: list[SiteResult]) -> list[tuple[str, list[SiteResult]]]:
    """Sites by kind, in the order of the network; rows that hide every key apart, for they have their own limit."""
    groups: dict[str, list[SiteResult]] = {name: [] for name, _ in _GROUPS}
    tail: list[SiteResult] = []
    for site in sites:
        fitting = (name for name, starts in _GROUPS if any(_is_kind(site.site, start) for start in starts))
        if site.case.startswith(ZERO_ROW):
            tail.append(site)
        else:
            groups.setdefault(next(fitting, "others"), []).append(site)
    groups["rows with every key hidden"] = tail
    return [(name, found) for name, found in groups.items() if found]


def _is_kind(site: str, start: str) -> bool:
    return site.startswith(start) if start.endswith((".", ":")) else site == start


def _table(rows: list[tuple[str, str, str, str, str]]) -> list[str]:
    table = [("", "compared", "worst", "limit", ""), *rows]
    widths = [max(len(row[column]) for row in table) for column in range(5)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in table]
