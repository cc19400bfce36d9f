"""Check the arguments of push before any file is read or server asked."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from converter.common.errors import Problem, PushError
from converter.hub.names import COMMIT, REVISION, is_repo_id
from converter.open.mistaken_paths import did_you_mean

#: Names that match REVISION and that git refuses for a branch.
_NO_BRANCH = re.compile(r"^HEAD$|\.\.|//|/\.|\.lock(/|$)|[./]$", re.ASCII)


def check_arguments(output: str | Path, repo_id: str, revision: str | None, message: str | None = None) -> None:
    """Raise PushError (E801) if OUTPUT is no folder, OUTPUT and REPO_ID are swapped, or a name is not valid."""
    _check_folder(str(output), repo_id)
    if not is_repo_id(repo_id, needs_owner=False) or repo_id.endswith((".", "-")):
        text = f"{ascii(repo_id)[1:-1][:120]} is no valid name of a repository"
        raise PushError(Problem("E801", f"{text}, expected OWNER/NAME (letters, digits, . _ -)"))
    if revision is not None:
        _check_revision(revision)
    if message is not None and not message.strip():
        raise PushError(Problem("E801", "--commit-message is blank, and the Hub accepts no commit without one"))


def _check_folder(named: str, repo_id: str) -> None:
    if Path(named).is_dir():
        return
    if Path(repo_id).is_dir():
        text = f"{repo_id} is a folder and {named} is not: OUTPUT comes first. Use: paddle2torch push"
        raise PushError(Problem("E801", f"{text} {shlex.join([repo_id, named])}"))
    text = f"{named}: there is no such folder. OUTPUT is what paddle2torch convert made"
    raise PushError(Problem("E801", text + did_you_mean(named)))


def _check_revision(revision: str) -> None:
    if COMMIT.fullmatch(revision):
        text = f"--revision {revision} is a commit, which cannot be pushed to. Name a branch"
        raise PushError(Problem("E801", text))
    if not REVISION.fullmatch(revision) or _NO_BRANCH.search(revision):
        raise PushError(Problem("E801", f"--revision {revision[:120]!a} is no valid name of a branch"))
