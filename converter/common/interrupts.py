"""Let Ctrl-C exit immediately during uploads, when there is nothing to clean up and joining the threads of
huggingface_hub could take hours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

#: Read by the entry point's signal handler.
at_once = False


@contextmanager
def nothing_to_tidy() -> Iterator[None]:
    """Mark a block during which no file on this machine is half-written."""
    global at_once
    at_once = True
    try:
        yield
    finally:
        at_once = False
