"""The user's token: its form, and what a push with it may be refused for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from converter.hub.messages import to_ascii

NO_TOKEN = "asked without a token: a private repository looks as if it did not exist"


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
        refusals.append(f"{namespace} is neither {to_ascii(name)[:100]}, the token's owner, nor their organization")
    return refusals
