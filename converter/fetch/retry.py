"""When a request is repeated: which failures may pass, and how long to wait before the next try."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.message import Message
from email.utils import parsedate_to_datetime

#: HTTP statuses after which the same request may succeed later.
TRANSIENT_STATUSES = (408, 425, 429, 500, 502, 503, 504)
#: Seconds before each further try, when the server does not ask for more.
WAITS = (1.0, 2.0, 4.0, 8.0)


class TransientError(Exception):
    """A request failed and may succeed later: a broken connection, silence, a busy server. `wait`: the seconds that
    the server asks to wait, 0 if it does not."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


def read_retry_after(headers: Mapping[str, str] | Message) -> float:
    """The seconds that a Retry-After header asks to wait, as a number or a date; 0 without a valid one."""
    text = (headers.get("Retry-After") or "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text)
    try:
        then, now = parsedate_to_datetime(text), parsedate_to_datetime(headers.get("Date") or "")
        return max(0.0, (then - now).total_seconds())
    except (TypeError, ValueError, IndexError):
        return 0.0
