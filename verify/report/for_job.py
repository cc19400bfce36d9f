"""What the forms for a CI job share: `python -m verify.report.FORM REPORT.json`, or with `--stopped FILE` for a run
that gave no report, from what it wrote to stderr."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Callable

from verify.results.report import Report, read_report


def find_errors(messages: str, no_reason: str, most: int) -> list[str]:
    """The error lines of a run without a verdict, at most so many; `no_reason` where there is none."""
    return [line for line in messages.splitlines() if line.startswith("error[")][:most] or [no_reason]


def write_form(form: str, of_report: Callable[[Report], str], of_stopped: Callable[[str], str]) -> int:
    """Write a form of the file that the command names to stdout. The exit status."""
    words = sys.argv[1:]
    stopped = words[:1] == ["--stopped"]
    if len(words) != 1 + stopped:
        sys.stderr.write(f"usage: python -m verify.report.{form} REPORT.json | --stopped MESSAGES\n")
        return 2
    text = Path(words[-1]).read_text(encoding="utf-8", errors="replace")
    found = of_stopped(text) if stopped else of_report(read_report(json.loads(text)))
    sys.stdout.buffer.write(found.encode("utf-8"))
    return 0
