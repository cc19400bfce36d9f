"""The summary for the page of a CI job, in Markdown: `python -m verify.report.summary REPORT.json`;
with `--stopped FILE` that of a run that gave no report, from what it wrote to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from verify.report.messages import tell_margin
from verify.report.plain_text import to_markdown, to_number
from verify.report.tensor_groups import by_tensor, count_failed, read_gradients
from verify.report.terminal import rows_of_uses, uses_not_run
from verify.report.verdict import group_rows, read_sites, verdict_of
from verify.results.report import read_report

_SHOWN = 10


def render_summary(report: Mapping[str, Any]) -> str:
    """Verdict, a table of what was compared, what is wrong, warnings."""
    verdict = verdict_of(report)
    sign = {"good": "✅", "partly": "⚠️", "bad": "❌"}[verdict.kind]
    lines = [f"## {sign} {verdict.opening} {to_markdown(verdict.sentence)}", "", to_markdown(verdict.scope), ""]
    rows = _rows(report)
    if rows:
        lines += ["| | compared | worst | limit | |", "| --- | --- | ---: | ---: | --- |"]
        lines += ["| " + " | ".join(map(to_markdown, row)) + " |" for row in rows] + [""]
    margin = read_report(report).margin
    if margin is not None:
        lines += [f"Margin: {to_markdown(tell_margin(margin))}", ""]
    first = report["first_difference"]
    if first is not None:
        lines += [f"**First difference:** {to_markdown(first['site'])}. Look at {to_markdown(first['look_at'])}", ""]
    problems = report["problems"]
    lines += [f"- {to_markdown(problem['code'])}: {to_markdown(problem['text'])}" for problem in problems[:_SHOWN]]
    if len(problems) > _SHOWN:
        lines.append(f"- and {len(problems) - _SHOWN} more, in report.html")
    lines += [f"- not run: {to_markdown(way)}" for way in uses_not_run(read_report(report).uses)]
    lines += [f"- warning: {to_markdown(warning)}" for warning in report["warnings"]]
    return "\n".join(lines).rstrip() + "\n"


def _rows(report: Mapping[str, Any]) -> list[tuple[str, str, str, str, str]]:
    rows = []
    static, tokens, gradients = report["static"], report["tokenizer"], read_gradients(report)
    if static is not None:
        wrong = len(static["mismatched"])
        rows.append(("weights", f"{static['tensors']} tensors", f"{wrong} differ", "0", _word(wrong)))
    for group in group_rows(read_sites(report)):
        measured = to_number(group.measured)
        rows.append((group.name, f"{group.sites} sites", measured, f"{group.limit:.0e}", _word(group.failed)))
    if gradients:
        wrong = count_failed(gradients)
        rows.append(("gradients", f"{len(by_tensor(gradients))} tensors", f"{wrong} differ", "0", _word(wrong)))
    rows += rows_of_uses(read_report(report).uses)
    if tokens is not None:
        wrong = tokens["mismatched"]
        rows.append(("tokens", f"{tokens['texts']} texts", f"{wrong} differ", "0", _word(wrong)))
    return rows


def _word(wrong: int) -> str:
    return "FAILED" if wrong else "ok"


def render_stopped(messages: str) -> str:
    """The summary of a run that could not judge: its error lines."""
    lines = [line for line in messages.splitlines() if line.startswith("error[")]
    said = [f"- {to_markdown(line)}" for line in lines[:_SHOWN]] or ["- it gave no reason; see the log"]
    return "\n".join(["## ⚠️ It could not be judged", "", *said]) + "\n"


def main() -> int:
    words = sys.argv[1:]
    stopped = words[:1] == ["--stopped"]
    if len(words) != 1 + stopped:
        sys.stderr.write("usage: python -m verify.report.summary REPORT.json | --stopped MESSAGES\n")
        return 2
    text = Path(words[-1]).read_text(encoding="utf-8", errors="replace")
    summary = render_stopped(text) if stopped else render_summary(json.loads(text))
    sys.stdout.buffer.write(summary.encode("utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
