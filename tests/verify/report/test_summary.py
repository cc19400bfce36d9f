"""The summary in a CI job's page: Markdown in which no text of OUTPUT's has a meaning."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.verify.report.conftest import make_gradients
from verify.report.plain_text import to_markdown
from verify.report.summary import render_summary
from verify.results.as_json import to_json
from verify.results.report import read_report


def test_a_pass(passing: dict[str, Any]) -> None:
    lines = render_summary(read_report(passing)).splitlines()
    assert lines[0] == "## ✅ PASSED: OUTPUT is the same model"
    assert "| hidden states | 4 sites | 1.0e-15 | 1e-12 | ok |" in lines
    assert "| tokens | 385 texts | 0 differ | 0 | ok |" in lines


def test_a_failure(failing: dict[str, Any]) -> None:
    text = render_summary(read_report(failing))
    assert text.startswith("## ❌ FAILED: OUTPUT is not the same model")
    assert "| hidden states | 4 sites | 1.0e-03 | 1e-12 | 3 FAILED |" in text
    assert "**First difference:** hidden\\_states.2." in text


def test_gradients_are_counted_by_tensor(passing: dict[str, Any]) -> None:
    failed = "ernie_m.pooler.dense.bias"
    passing["gradients"] = to_json(make_gradients(failed, layers=1))
    assert "| gradients | 6 tensors | 1.0e-03 | 1e-12 | 1 FAILED |" in render_summary(read_report(passing))


def test_other_uses_are_one_row(passing: dict[str, Any]) -> None:
    passing["uses"] = {"training": {"compared": 8, "differ": 1, "first": ""}, "float32": {"compared": 4, "differ": 0}}
    assert "| other uses | 12 sites | 1 differ | 0 | 1 FAILED |" in render_summary(read_report(passing))


def test_a_use_that_was_not_run_is_named(passing: dict[str, Any]) -> None:
    passing["uses"] = {"torch.compile": {"compared": 0, "differ": 0, "first": "", "skipped": "it takes minutes"}}
    assert "- not run: torch.compile \\(it takes minutes\\)" in render_summary(read_report(passing))


def test_the_margin_is_told(passing: dict[str, Any], failing: dict[str, Any]) -> None:
    assert "Margin: rounding noise reaches at most 0.1% of its limit" in render_summary(read_report(passing))
    assert "Margin" not in render_summary(read_report(failing))


def test_hostile_text_has_no_meaning(failing: dict[str, Any]) -> None:
    for line in render_summary(read_report(failing)).splitlines():
        assert not re.search(r"(?<!\\)[<`\[]", line)
        assert not line.startswith("|") or line.count("|") - line.count("\\|") == 6


def test_a_line_stays_a_line() -> None:
    assert to_markdown("a\n\n# b\r\nwww.x.y") == "a \\# b\\\\u000d www\\.x.y"


def test_from_the_file_that_verify_wrote(passing: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(passing))
    done = subprocess.run(
        [sys.executable, "-m", "verify.report.summary", str(path)], capture_output=True, check=True, encoding="utf-8"
    )
    assert done.stdout == render_summary(read_report(passing))
