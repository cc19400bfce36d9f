"""The user's token: where it is kept, and what it will not do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from converter.common.errors import Problem, PushError
from converter.hub.fetch_errors import shown
from converter.hub.publish_errors import LOG_IN
from converter.hub.secrets import flaw_of

NO_TOKEN = "asked without a token: a private repository looks as if it were not there"


def find_token() -> str | None:
    """The user's token from the usual places: HF_TOKEN, or what `hf auth login` keeps. Raises PushError for one that
    no header can hold: huggingface_hub's own error would show it."""
    from huggingface_hub import get_token

    token = get_token()
    flaw = flaw_of(token)
    if flaw is not None:
        raise PushError(Problem("E805", f"{flaw}. {LOG_IN}"))
    return token


def foresee(owner: Mapping[str, Any], repo_id: str, *, create_pr: bool) -> list[str]:
    """Why a push with this token may be refused. `owner`: what the Hub tells of the token (whoami)."""
    doubts = []
    access = owner.get("auth") or {}
    role = (access.get("accessToken") or {}).get("role") if isinstance(access, Mapping) else None
    if role == "read":
        doubts.append("the token may only read: the push will be refused (E806). Use one with the write role")
    name, place = str(owner.get("name")), repo_id.split("/")[0]
    groups = owner.get("orgs") or []
    names = {name, *(str(group.get("name")) for group in groups if isinstance(group, Mapping))}
    if place.lower() not in {each.lower() for each in names} and not create_pr:
        doubts.append(
            f"{place} is neither {shown(name)[:100]}, whose token it is, nor an organization that it tells of"
        )
    return doubts
