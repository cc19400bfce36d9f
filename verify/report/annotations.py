"""Annotations of a GitHub job, which appear on the pull request: `python -m verify.report.annotations REPORT.json`;
with `--stopped FILE` those of a run that gave no report, from what it wrote to stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from verify.report.for_job import find_errors, write_form
from verify.report.plain_text import clean
from verify.report.rows import verdict_of
from verify.results.report import Report

#: GitHub shows ten of each level and job step.
_MOST = 10


def annotate_report(report: Report) -> Iterator[str]:
    """The verdict, then what is wrong and what the report warns of."""
    verdict = verdict_of(report)
    level = {"good": "notice", "partly": "warning", "bad": "error"}[verdict.kind]
    yield _command(level, "", f"{verdict.headline}. {verdict.scope}")
    first = report.first_difference
    if first is not None:
        yield _command("error", "first difference", f"{first.site}. Look at {first.look_at}")
    for problem in report.problems[: _MOST - 2]:
        yield _command("error", problem.code, problem.text)
    for warning in report.warnings[: _MOST - 1]:
        yield _command("warning", "", warning)


def annotate_stopped(messages: str) -> Iterator[str]:
    """The error lines of a run without a verdict."""
    for line in find_errors(messages, "it gave no reason; see the log", _MOST):
        yield _command("error", "no verdict", line)


def _command(level: str, title: str, text: str) -> str:
    """A workflow command. What ends a command or a property is escaped, as GitHub's toolkit does."""
    named = f"paddle2torch: {clean(title)}" if title else "paddle2torch"
    for sign, code in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"), (":", "%3A"), (",", "%2C")):
        named = named.replace(sign, code)
    data = clean(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::{level} title={named}::{data}"


def main() -> int:
    return write_form(
        "annotations", lambda report: _lines(annotate_report(report)), lambda text: _lines(annotate_stopped(text))
    )


def _lines(commands: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in commands)


if __name__ == "__main__":
    sys.exit(main())
