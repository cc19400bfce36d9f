"""How a child process reports to verify: lines on its standard output, and its exit status."""

from __future__ import annotations

import sys

#: The beginning of a line about progress, and of the line with the reason why the process stopped.
PROGRESS, ERROR = "@progress ", "@error "
#: Exit statuses: the checkpoint cannot be recorded; this Paddle computes wrong numbers.
REFUSED, BROKEN = 3, 4


def report_progress(text: str) -> None:
    """Print what is being done, so that verify can show it at once."""
    print(PROGRESS + text)
    sys.stdout.flush()


def report_error(error: Exception) -> None:
    """Print why the process stops."""
    print(f"{ERROR}{error}")
    sys.stdout.flush()
