"""Names of the files of a verification, which lie in a folder inside OUTPUT unless `--report` names another."""

from __future__ import annotations

from converter.common.layout import REPORTS

FOLDER = REPORTS
REPORT, PAGE, JUNIT = "report.json", "report.html", "junit.xml"
#: What Paddle computed, where a published folder brings it.
TRACE = "trace.safetensors"
