"""The names that the Hub uses: of repositories, revisions and commits."""

from __future__ import annotations

import re

COMMIT = re.compile(r"[0-9a-f]{40}")
#: A branch, a tag, a commit or `refs/pr/N`.
REVISION = re.compile(r"[A-Za-z0-9][\w./-]{0,200}", re.ASCII)
_OWNER_AND_NAME = re.compile(r"(?:([A-Za-z0-9][\w.-]{0,95})/)?[A-Za-z0-9_][\w.-]{0,95}", re.ASCII)


def is_repo_id(text: str, *, needs_owner: bool) -> bool:
    """Whether the text has the form OWNER/NAME, or NAME alone unless `needs_owner`."""
    match = _OWNER_AND_NAME.fullmatch(text)
    if match is None or (needs_owner and match[1] is None):
        return False
    return ".." not in text and "--" not in text and not text.endswith(".git")
