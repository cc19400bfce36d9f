"""What push is called with, judged before anything is read or asked."""

from __future__ import annotations

import re
from pathlib import Path

from converter.common.errors import Problem, PushError

_REPO_ID = re.compile(r"(?:[A-Za-z0-9][\w.-]{0,95}/)?[A-Za-z0-9_][\w.-]{0,95}", re.ASCII)
_REVISION = re.compile(r"[A-Za-z0-9][\w./-]{0,200}", re.ASCII)
#: What git refuses in the name of a branch, of what the pattern above lets through.
_NO_BRANCH = re.compile(r"^HEAD$|\.\.|//|/\.|\.lock(/|$)|[./]$", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")


def check_arguments(output: str | Path, repo_id: str, revision: str | None, message: str | None = None) -> None:
    """Raises PushError (E801) for an OUTPUT that is no folder, the two the wrong way round, names that no Hub takes."""
    _check_folder(str(output), repo_id)
    odd = not _REPO_ID.fullmatch(repo_id) or ".." in repo_id or "--" in repo_id or repo_id.endswith((".", "-", ".git"))
    if odd or "/." in repo_id:
        text = f"{ascii(repo_id)[1:-1][:120]} is no name of a repository, expected OWNER/NAME (letters, digits, . _ -)"
        raise PushError(Problem("E801", text))
    if revision is not None:
        _check_revision(revision)
    if message is not None and not message.strip():
        raise PushError(Problem("E801", "--commit-message is blank, and the Hub takes no commit without one"))


def _check_folder(named: str, repo_id: str) -> None:
    if Path(named).is_dir():
        return
    if Path(repo_id).is_dir():
        text = f"{repo_id} is a folder and {named} is none: OUTPUT comes first. Write: paddle2torch push"
        raise PushError(Problem("E801", f"{text} {repo_id} {named}"))
    raise PushError(Problem("E801", f"{named}: there is no such folder. OUTPUT is what paddle2torch convert made"))


def _check_revision(revision: str) -> None:
    if _COMMIT.fullmatch(revision):
        text = f"--revision {revision} is a commit, and nothing can be pushed to one. Name a branch"
        raise PushError(Problem("E801", text))
    if not _REVISION.fullmatch(revision) or _NO_BRANCH.search(revision):
        raise PushError(Problem("E801", f"--revision {revision[:120]!a} is no name of a branch"))
