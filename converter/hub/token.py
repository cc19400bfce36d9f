"""The user's token: its form, what a push with it may be refused for, and text without it.

Text of a server or a library is quoted without secrets and without control characters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from converter.common.redaction import HIDDEN, redact

NO_TOKEN = "asked without a token: a private repository looks as if it did not exist"
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


def find_token_flaw(token: str | None) -> str | None:
    """Why the token cannot be sent in a header; None for one that can. Checked here because the exception of a library
    that tries to send it may show it."""
    if token is None or all("!" <= letter <= "~" for letter in token):
        return None
    return "the token has characters that no token has (a space, a line break, a quote from a web page?)"


def predict_refusals(owner: Mapping[str, Any], repo_id: str, *, create_pr: bool) -> list[str]:
    """Why a push with this token may be refused. `owner`: the Hub's answer to whoami."""
    refusals = []
    access = owner.get("auth") or {}
    role = (access.get("accessToken") or {}).get("role") if isinstance(access, Mapping) else None
    if role == "read":
        refusals.append("the token may only read: the push will be refused (E806). Use one with the write role")
    name, namespace = str(owner.get("name")), repo_id.split("/")[0]
    organizations = owner.get("orgs") or []
    names = {name, *(str(each.get("name")) for each in organizations if isinstance(each, Mapping))}
    if namespace.lower() not in {each.lower() for each in names} and not create_pr:
        refusals.append(f"{namespace} is neither {to_ascii(name)[:100]}, whose token it is, nor their organization")
    return refusals
