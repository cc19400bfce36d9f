"""Look for a commit that may be on the Hub already: the answer to an earlier request may have been lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Callable

from converter.hub.contents import Commit, RemoteFile, RemoteRevision

#: Returns the revision of that name, or None if there is no such repository.
Look = Callable[[str], "RemoteRevision | None"]
#: Whether the files of a revision are those that were to be committed.
IsComplete = Callable[[Mapping[str, RemoteFile]], bool]
_MOST_PULL_REQUESTS = 20


def find_commit(look: Look, revision: str, is_complete: IsComplete, page: str) -> Commit | None:
    """The commit of the revision, if it has all files. `page`: the repository's address."""
    found = look(revision)
    if found is None or not is_complete(found.files):
        return None
    return Commit(found.commit, f"{page}/commit/{found.commit}")


def find_pull_request(look: Look, numbers: Iterable[int], is_complete: IsComplete, page: str) -> Commit | None:
    """The newest pull request among `numbers` that has all files."""
    for number in sorted(numbers, reverse=True)[:_MOST_PULL_REQUESTS]:
        found = find_commit(look, f"refs/pr/{number}", is_complete, page)
        if found is not None:
            return Commit(found.commit, found.url, f"{page}/discussions/{number}", number)
    return None
