"""What of a text is secret, and which tokens can be used at all."""

from __future__ import annotations

import re

from converter.common.redaction import HIDDEN, redact

_SECRETS = re.compile(r"hf_[A-Za-z0-9_]{6,}|(?<=Bearer )\S+", re.I)


def hide_secrets(text: str, token: str | None = None) -> str:
    """A text without the token, without what looks like one, and without names and passwords in addresses."""
    if token:
        text = text.replace(token, HIDDEN)
    return _SECRETS.sub(HIDDEN, redact(text))


def flaw_of(token: str | None) -> str | None:
    """Why no header can hold a token; None for one that can be sent. The errors of who tries to may show it."""
    if token is None or all("!" <= letter <= "~" for letter in token):
        return None
    return "the token has characters that no token has (a space, a line break, a quote from a web page?)"
