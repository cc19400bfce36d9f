"""The summary for the page of a CI job, in Markdown: `python -m verify.report.summary REPORT.json`; with
`--stopped FILE` that of a run that gave no report, from what it wrote to stderr. With `--annotations` in front:
GitHub's annotations, which a pull request shows."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from converter.common.printable import MESSAGE, printable
from verify.report.messages import describe_margin, describe_runtime, describe_subject
from verify.report.plain_text import to_markdown
from verify.report.rows import modes_not_run, result_rows, verdict_of
from verify.results.report import Report, read_report

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
    lines = _errors_in(messages)
    listed = [f"- {to_markdown(line)}" for line in lines[:_LISTED]] or ["- it gave no reason; see the log"]
    return "\n".join(["## ⚠️ There is no verdict", "", *listed]) + "\n"


def _errors_in(messages: str) -> list[str]:
    return [line for line in messages.splitlines() if line.startswith("error[")]


def render_annotations(problems: Sequence[str]) -> str:
    """A command of GitHub's runner for each problem. What would end it, or begin another, is escaped."""
    lines = []
    for problem in problems[:_LISTED]:
        text = printable(problem, MESSAGE).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        lines.append(f"::error title=paddle2torch verify::{text}\n")
    return "".join(lines)


def main() -> int:
    words = sys.argv[1:]
    annotations = words[:1] == ["--annotations"]
    words = words[annotations:]
    stopped = words[:1] == ["--stopped"]
    if len(words) != 1 + stopped:
        sys.stderr.write("usage: python -m verify.report.summary [--annotations] REPORT.json | --stopped MESSAGES\n")
        return 2
    text = Path(words[-1]).read_text(encoding="utf-8", errors="replace")
    report = None if stopped else read_report(json.loads(text))
    if annotations:
        problems = [f"{one.code}: {one.text}" for one in report.problems] if report is not None else _errors_in(text)
        shown = render_annotations(problems)
    else:
        shown = render_summary(report) if report is not None else render_stopped(text)
    sys.stdout.buffer.write(shown.encode("utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
