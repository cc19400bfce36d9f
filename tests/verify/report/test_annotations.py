"""The annotations of a GitHub job."""

from __future__ import annotations

from typing import Any

from verify.report.annotations import annotate_report, annotate_stopped
from verify.results.report import read_report


def test_a_pass_is_a_notice(passing: dict[str, Any]) -> None:
    first, *_ = annotate_report(read_report(passing))
    assert first.startswith("::notice title=paddle2torch::PASSED: ")


def test_a_failure_has_the_first_difference_and_no_more_lines_than_are_shown(failing: dict[str, Any]) -> None:
    lines = list(annotate_report(read_report(failing)))
    assert lines[0].startswith("::error title=paddle2torch::FAILED: ")
    assert lines[1].startswith("::error title=paddle2torch%3A first difference::")
    assert sum(line.startswith("::error") for line in lines) <= 10


def test_text_of_a_file_is_no_command_of_its_own(failing: dict[str, Any]) -> None:
    failing["problems"] = [{"code": "E404", "text": "a\r\n::set-output name=x::100%,\u202e"}]
    lines = list(annotate_report(read_report(failing)))
    assert "::error title=paddle2torch%3A E404::a\\u000d%0A::set-output name=x::100%25,\\u202e" in lines
    assert all("\n" not in line and "\r" not in line for line in lines)


def test_a_run_without_a_verdict_has_its_error_lines() -> None:
    assert list(annotate_stopped("warning: w\nerror[E601]: no Paddle: see\n")) == [
        "::error title=paddle2torch%3A no verdict::error[E601]: no Paddle: see"
    ]
    assert list(annotate_stopped("")) == ["::error title=paddle2torch%3A no verdict::it gave no reason; see the log"]
