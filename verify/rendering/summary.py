"""The summary for the page of a CI job, in Markdown: `python -m verify.rendering.summary REPORT.json`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from verify.rendering.plain_text import to_markdown, to_number
from verify.rendering.verdict import group_rows, read_sites, verdict_of

_SHOWN = 10


def render_summary(report: Mapping[str, Any]) -> str:
    """Verdict, a table of what was compared, what is wrong, warnings."""
    verdict = verdict_of(report)
    sign = {"good": "✅", "partly": "⚠️", "bad": "❌"}[verdict.kind]
    lines = [f"## {sign} {verdict.word}: {verdict.sentence}", "", to_markdown(verdict.scope), ""]
    rows = _rows(report)
    if rows:
        lines += ["| | compared | worst | limit | |", "| --- | --- | ---: | ---: | --- |"]
        lines += ["| " + " | ".join(map(to_markdown, row)) + " |" for row in rows] + [""]
    first = report["first_difference"]
    if first is not None:
        lines += [f"**First difference:** {to_markdown(first['site'])}. Look at {to_markdown(first['look_at'])}", ""]
    problems = report["problems"]
    lines += [f"- {to_markdown(problem['code'])}: {to_markdown(problem['text'])}" for problem in problems[:_SHOWN]]
    if len(problems) > _SHOWN:
        lines.append(f"- and {len(problems) - _SHOWN} more, in report.html")
    lines += [f"- warning: {to_markdown(warning)}" for warning in report["warnings"]]
    return "\n".join(lines).rstrip() + "\n"


def _rows(report: Mapping[str, Any]) -> list[tuple[str, str, str, str, str]]:
    rows = []
    static, tokens, gradients = report["static"], report["tokenizer"], report["gradients"]
    if static is not None:
        wrong = len(static["mismatched"])
        rows.append(("weights", f"{static['tensors']} tensors", f"{wrong} differ", "0", _word(wrong)))
    for group in group_rows(read_sites(report)):
        measured = to_number(group.measured)
        rows.append((group.name, f"{group.sites} sites", measured, f"{group.limit:.0e}", _word(group.failed)))
    if gradients:
        wrong = sum(entry.get("passed") is False for entry in gradients)
        rows.append(("gradients", f"{len(gradients)} tensors", f"{wrong} differ", "0", _word(wrong)))
    if tokens is not None:
        wrong = tokens["mismatched"]
        rows.append(("tokens", f"{tokens['texts']} texts", f"{wrong} differ", "0", _word(wrong)))
    return rows


def _word(wrong: int) -> str:
    return "FAILED" if wrong else "ok"


def main() -> int:
    if len(sys.argv) != 2:
        sys.stderr.write("usage: python -m verify.rendering.summary REPORT.json\n")
        return 2
    report = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    sys.stdout.buffer.write(render_summary(report).encode("utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
