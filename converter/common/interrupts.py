"""Whether Ctrl-C may end the process on the spot: where nothing here has to be tidied up, and threads of another
library are at work that would be waited for (an upload of hours)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

#: Read by the entry point's signal handler.
at_once = False


@contextmanager
def nothing_to_tidy() -> Iterator[None]:
    """While the block runs, nothing on this machine is half-written."""
    global at_once
    at_once = True
    try:
        yield
    finally:
        at_once = False
