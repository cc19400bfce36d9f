"""The summary for the page of a CI job, in Markdown: `python -m verify.report.summary REPORT.json`;
with `--stopped FILE` that of a run that gave no report, from what it wrote to stderr."""

from __future__ import annotations

import sys

from verify.report.for_job import find_errors, write_form
from verify.report.messages import describe_margin, describe_runtime, describe_subject
from verify.report.plain_text import to_markdown
from verify.report.rows import modes_not_run, result_rows, verdict_of
from verify.results.report import Report

_LISTED = 10


def render_summary(report: Report) -> str:
    """Verdict, a table of what was compared, what is wrong, warnings."""
    verdict = verdict_of(report)
    sign = {"good": "✅", "partly": "⚠️", "bad": "❌"}[verdict.kind]
    lines = [f"## {sign} {verdict.opening} {to_markdown(verdict.sentence)}", "", to_markdown(verdict.scope), ""]
    lines += [f"{name}: {to_markdown(text)}  " for name, text in describe_subject(report)] + [""]
    rows = [row.cells for row in result_rows(report)]
    if rows:
        lines += ["| | compared | worst | limit | |", "| --- | --- | ---: | ---: | --- |"]
        lines += ["| " + " | ".join(map(to_markdown, row)) + " |" for row in rows] + [""]
    runtime = describe_runtime(report)
    lines += [f"OUTPUT: {to_markdown(runtime)}", ""] if runtime else []
    if report.margin is not None:
        lines += [f"Margin: {to_markdown(describe_margin(report.margin))}", ""]
    first, problems = report.first_difference, report.problems
    if first is not None:
        lines += [f"**First difference:** {to_markdown(first.site)}. Look at {to_markdown(first.look_at)}", ""]
    lines += [f"- {to_markdown(problem.code)}: {to_markdown(problem.text)}" for problem in problems[:_LISTED]]
    if len(problems) > _LISTED:
        lines.append(f"- and {len(problems) - _LISTED} more, in report.html")
    lines += [f"- left out: {to_markdown(what)}" for what in report.left_out]
    lines += [f"- not run: {to_markdown(mode)}" for mode in modes_not_run(report.uses)]
    lines += [f"- warning: {to_markdown(warning)}" for warning in report.warnings]
    return "\n".join(lines).rstrip() + "\n"


def render_stopped(messages: str) -> str:
    """The summary of a run that ended without a verdict: its error lines."""
    lines = find_errors(messages, "it gave no reason; see the log", _LISTED)
    listed = [f"- {to_markdown(line)}" for line in lines]
    return "\n".join(["## ⚠️ There is no verdict", "", *listed]) + "\n"


def main() -> int:
    return write_form("summary", render_summary, render_stopped)


if __name__ == "__main__":
    sys.exit(main())
