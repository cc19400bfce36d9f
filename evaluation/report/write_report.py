"""The evaluation as files: report.json for programs, report.html for people, junit.xml for CI."""

from __future__ import annotations

import json
import os
from pathlib import Path

from evaluation.report.junit import render_junit
from evaluation.report.page import render_page
from evaluation.results import Evaluation
from verify.results.layout import JUNIT, PAGE, REPORT


def write_report(result: Evaluation, folder: Path) -> None:
    """Write the three files into `folder`, each whole or not at all. report.json comes last: where it is, all are."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        PAGE: render_page(result),
        JUNIT: render_junit(result),
        REPORT: json.dumps(result.to_json(), indent=1, allow_nan=False) + "\n",
    }
    for name, text in texts.items():
        partial = folder / f".{name}.partial"
        try:
            partial.write_bytes(text.encode("utf-8"))
            os.replace(partial, folder / name)
        finally:
            partial.unlink(missing_ok=True)
