"""The report as files: report.json for programs, report.html for people, junit.xml for CI."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from converter.common.errors import OutputError, Problem
from verify.report.html.page import render_page
from verify.report.junit import render_junit
from verify.results.layout import JUNIT, PAGE, REPORT
from verify.results.report import Report


def check_writable(folder: Path) -> None:
    """Raise OutputError if the report could not be written into `folder`, which is made on trial and left as it was."""
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        text = f"{folder}: {error.strerror or error}, and the report belongs there. --report DIR names another place"
        raise OutputError(Problem("E505", text)) from None
    finally:
        for each in made:
            with contextlib.suppress(OSError):
                each.rmdir()


def write_report(report: Report, folder: Path) -> None:
    """Write the three files into `folder`, and name it in the report."""
    write_files(folder, page=render_page(report), junit=render_junit(report), data=report.to_json())
    report.folder = folder


def write_files(folder: Path, *, page: str, junit: str, data: Mapping[str, Any]) -> None:
    """Write what a report is made of, each file whole or not at all. report.json (`data`) comes last, and that of an
    earlier report goes first: where it is, all are."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {PAGE: page, JUNIT: junit, REPORT: json.dumps(data, indent=1, allow_nan=False) + "\n"}
    partial = {name: folder / f".{name}.partial" for name in texts}
    try:
        for name, text in texts.items():
            partial[name].write_bytes(text.encode("utf-8"))
        (folder / REPORT).unlink(missing_ok=True)
        for name in texts:
            os.replace(partial[name], folder / name)
    finally:
        for path in partial.values():
            path.unlink(missing_ok=True)
