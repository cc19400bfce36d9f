"""How a child process reports to verify: lines on its standard output, and its exit status."""

from __future__ import annotations

import json
from typing import TextIO

#: The beginning of a line about progress, and of the line with the reason why the process stopped.
PROGRESS, ERROR = "@progress ", "@error "
#: Exit statuses: the checkpoint cannot be recorded; this Paddle computes wrong numbers.
REFUSED, BROKEN = 3, 4


def report_progress(stage: str, detail: str = "", done: int = 0, total: int = 0, file: TextIO | None = None) -> None:
    """Print what is being done to `file` (None: standard output), so that verify can show it at once: the fields of
    converter.common.progress.Progress as JSON."""
    print(PROGRESS + json.dumps([stage, detail, done, total]), file=file, flush=True)


def report_error(error: Exception) -> None:
    """Print why the process stops."""
    print(f"{ERROR}{error}", flush=True)
