"""Text of a server or a library as a message may quote it: without secrets and control characters."""

from __future__ import annotations

import re

from converter.common.redaction import HIDDEN, redact

_SECRETS = re.compile(r"hf_[A-Za-z0-9_]{6,}|(?<=Bearer )\S+", re.I)


def hide_secrets(text: str, token: str | None = None) -> str:
    """The text without the token, without what looks like one, and without names and passwords in addresses."""
    if token:
        text = text.replace(token, HIDDEN)
    return _SECRETS.sub(HIDDEN, redact(text))


def to_ascii(text: str) -> str:
    """The text with every character outside printable ASCII escaped."""
    return "".join(letter if " " <= letter <= "~" else ascii(letter)[1:-1] for letter in text)


def quote_message(text: str, token: str | None = None, limit: int = 200) -> str:
    """At most `limit` characters of a message, without secrets and without the queries of addresses, which may hold a
    signature. Secrets are removed before the cut: half of one would not be recognised."""
    return to_ascii(re.sub(r"\?\S*", "", hide_secrets(text, token)))[:limit]


def describe_exception(error: BaseException, token: str | None = None) -> str:
    """The first line of an exception's message, as `quote_message` gives it."""
    return quote_message((str(error).strip().splitlines() or [""])[0] or type(error).__name__, token)
