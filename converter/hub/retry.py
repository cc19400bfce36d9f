"""How long a server is waited for: what an answer asks, and an end to it where huggingface_hub would sleep for ever."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any, Callable

from converter.fetch.transport import PASSING

#: In seconds. A server that asks for more is not waited for.
LONGEST_WAIT = 120.0
_LIMIT_REACHED = re.compile(r"\br=0\b.*\bt=([0-9]{1,9})")


def wait_asked(response: Any) -> float:
    """Seconds that an answer asks to wait: Retry-After, or the reset of a `RateLimit` that is used up (the Hub tells
    its limits with every answer). 0 when it does not say."""
    text = str(response.headers.get("Retry-After") or "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text)
    reset = _LIMIT_REACHED.search(str(response.headers.get("RateLimit") or ""))
    if reset and response.status_code == 429:
        return float(reset[1])
    try:
        then = parsedate_to_datetime(text)
        return max(0.0, (then - parsedate_to_datetime(str(response.headers.get("Date") or ""))).total_seconds())
    except (TypeError, ValueError, IndexError):
        return 0.0


@contextmanager
def impatient(refuse: Callable[[Any], Exception]) -> Iterator[None]:
    """While the block runs, an answer that asks for more than LONGEST_WAIT raises what `refuse` makes of it:
    huggingface_hub 2.x would sleep as long as it says, without a word. 0.36 never sleeps for longer than 8 seconds."""
    from huggingface_hub import utils

    session: Any = utils

    hooks = getattr(session.get_session(), "event_hooks", None)
    if not isinstance(hooks, dict):  # The sessions of 0.36.
        yield
        return

    def judge(response: Any) -> None:
        if response.status_code in PASSING and wait_asked(response) > LONGEST_WAIT:
            raise refuse(response)

    hooks["response"].append(judge)
    try:
        yield
    finally:
        hooks["response"].remove(judge)
