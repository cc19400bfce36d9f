"""The evaluation as files: report.json for programs, report.html for people, junit.xml for CI."""

from __future__ import annotations

from pathlib import Path

from evaluation.report.junit import render_junit
from evaluation.report.page import render_page
from evaluation.results import Evaluation
from verify.report.write_report import write_files


def write_report(result: Evaluation, folder: Path) -> None:
    """Write the three files into `folder`."""
    write_files(folder, page=render_page(result), junit=render_junit(result), data=result.to_json())
