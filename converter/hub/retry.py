"""How long the Hub is waited for, and a limit where huggingface_hub would sleep as long as the server asks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from converter.fetch.retry import TRANSIENT_STATUSES, TransientError, read_retry_after

#: In seconds. If the Hub asks for a longer wait, the call is given up.
LONGEST_WAIT = 120.0
_USED_UP = re.compile(r"\br=0\b.*\bt=([0-9]{1,9})")


class HubTransientError(TransientError):
    """A call of the Hub failed and may succeed later. `retried`: huggingface_hub has repeated it several times already.
    `refused`: the server answered that it did not do what was asked."""

    def __init__(self, reason: str, wait: float = 0.0, *, retried: bool = False, refused: bool = False) -> None:
        super().__init__(reason, wait)
        self.retried, self.refused = retried, refused


def read_wait(response: Any) -> float:
    """The seconds that a response asks to wait: Retry-After, or the reset of a RateLimit with nothing left (the Hub
    sends its limits with every response). 0 if it does not ask."""
    limit = _USED_UP.search(str(response.headers.get("RateLimit") or ""))
    reset = float(limit[1]) if limit and response.status_code == 429 else 0.0
    return read_retry_after(response.headers) or reset


@contextmanager
def refuse_long_waits(what: str) -> Iterator[None]:
    """Within the block, raise HubTransientError for a response that asks for more than LONGEST_WAIT: huggingface_hub
    1.x and 2.x would sleep as long as it asks, without a message. 0.36 never sleeps longer than 8 seconds."""
    from huggingface_hub import utils

    session: Any = utils
    hooks = getattr(session.get_session(), "event_hooks", None)
    if not isinstance(hooks, dict):  # The sessions of 0.36.
        yield
        return

    def check(response: Any) -> None:
        wait = read_wait(response)
        if response.status_code in TRANSIENT_STATUSES and wait > LONGEST_WAIT:
            raise HubTransientError(f"the Hub answers {response.status_code} for {what}", wait, refused=True)

    hooks["response"].append(check)
    try:
        yield
    finally:
        hooks["response"].remove(check)
