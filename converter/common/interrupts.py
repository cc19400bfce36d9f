"""What the entry point's signal handler must know: whether there is anything to clean up, and what stays on purpose."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

#: Exit immediately: during uploads nothing is to be cleaned up, and joining the threads of huggingface_hub could take
#: hours.
at_once = False

#: What the next run continues from; empty if nothing is kept.
kept = ""


@contextmanager
def nothing_to_tidy() -> Iterator[None]:
    """Mark a block during which no file on this machine is half-written."""
    global at_once
    at_once = True
    try:
        yield
    finally:
        at_once = False


def keep(text: str) -> None:
    """Say in one sentence what is kept if the run is stopped now; '' when nothing is."""
    global kept
    kept = text
