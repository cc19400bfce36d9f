"""A report as a table for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from converter.common.errors import MOST_LISTED
from converter.common.printable import MESSAGE, printable, printable_message
from verify.report.messages import (
    count,
    describe_behavior,
    describe_margin,
    describe_runtime,
    describe_self_test,
    describe_subject,
)
from verify.report.rows import Row, modes_not_run, result_rows, verdict_of
from verify.results.layout import REPORT
from verify.results.report import Report


def render_table(report: Report, most: int = MOST_LISTED) -> str:
    """The verdict, the worst of each kind of comparison, what is wrong (of problems the first `most`) and where to
    look."""
    verdict = verdict_of(report)
    lines = [verdict.headline, verdict.scope, "", *_table(result_rows(report)), ""]
    lines += [f"{name}: {text}" for name, text in describe_subject(report)]
    lines.append(describe_behavior(report))
    if report.reference.get("kind") not in (None, "none"):
        versions = report.reference.get("environment", {})
        lines.append(
            f"reference: PaddleNLP {versions.get('paddlenlp', '?')} on Paddle {versions.get('paddle', '?')}"
            f" ({report.reference['kind']}); {'; '.join(report.reference.get('how', []))}"
        )
    runtime = describe_runtime(report)
    lines += [f"OUTPUT: {runtime}"] if runtime else []
    if report.margin is not None:
        lines.append(f"margin: {describe_margin(report.margin)}")
    if report.self_test is not None:
        lines.append(f"self-test: {describe_self_test(report.self_test)}")
    lines += [f"left out: {what}" for what in report.left_out]
    lines += [f"not run: {mode}" for mode in modes_not_run(report.uses)]
    lines += [f"warning: {warning}" for warning in report.warnings]
    lines += [str(problem) for problem in report.problems[:most]]
    if len(report.problems) > most:
        lines.append(f"and {len(report.problems) - most} more problems, which report.json lists")
    if report.folder is not None:
        lines.append(f"report: {report.folder / REPORT}")
    return "\n".join(map(printable_message, lines))


def render_line(report: Report) -> str:
    """The verdict, its scope, the model and how much is wrong in one line."""
    verdict, model = verdict_of(report), dict(describe_subject(report)).get("model")
    parts = [f"{verdict.headline}.", verdict.scope, *([f"{model}."] if model else [])]
    parts += [f"{count(len(report.problems), 'problem')}."] if report.problems else []
    return printable(" ".join(parts), MESSAGE)


def _table(rows: Sequence[Row]) -> list[str]:
    table = [("", "compared", "worst", "limit", "")]
    table += [row.cells for row in rows]
    widths = [max(len(line[column]) for line in table) for column in range(5)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in table]
