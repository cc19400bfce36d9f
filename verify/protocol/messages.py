"""How a child process reports to verify: lines on its standard output, and its exit status."""

from __future__ import annotations

import json
import sys
import time
from typing import TextIO

#: The beginning of a line about progress, and of the line with the reason why the process stopped.
PROGRESS, ERROR = "@progress ", "@error "
#: Exit statuses: the checkpoint cannot be recorded; this Paddle computes wrong numbers.
REFUSED, BROKEN = 3, 4


#: A person started the process: lines are plain, and at most one a second of each stage.
for_people = False
_told: dict[str, float] = {}


def report_progress(stage: str, detail: str = "", done: int = 0, total: int = 0, file: TextIO | None = None) -> None:
    """Print what is being done to `file` (None: standard output), so that verify can show it at once: the fields of
    converter.common.progress.Progress as JSON."""
    if for_people:
        now = time.monotonic()
        if stage not in _told or now - _told[stage] >= 1:
            _told[stage] = now
            print(f"{stage}: {detail}" if detail else stage, file=file, flush=True)
        return
    print(PROGRESS + json.dumps([stage, detail, done, total]), file=file, flush=True)


def report_error(error: Exception) -> None:
    """Print why the process stops."""
    if for_people:
        print(f"error: {error}", file=sys.stderr, flush=True)
    else:
        print(f"{ERROR}{error}", flush=True)
