"""Whether a commit is on the Hub already, on a branch or in an open pull request: an answer may have been lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from converter.common.errors import Problem, PushError
from converter.hub.changes import find_changes
from converter.hub.publish_errors import Passing, Unusable
from converter.publish.folder import LocalFile

if TYPE_CHECKING:
    from converter.hub.client import Hub

_MOST_PULL_REQUESTS = 20


@dataclass(frozen=True)
class Landed:
    """A commit that is on the Hub. `pull_request`: the page of the one that it opened."""

    commit: str
    url: str
    pull_request: str | None = None
    number: int | None = None


def find_landed(
    hub: Hub, error: Exception, wanted: Sequence[LocalFile], revision: str, create_pr: bool, **_: Any
) -> Landed | None:
    """A commit, or an open pull request, that has all of `wanted`, after `error` took the answer. Raises PushError
    where a pull request may have been opened and none can be seen: another try could open a second one."""
    try:
        if create_pr:
            return find_pull_request(hub, wanted)
        head = hub.look(revision)
    except PushError:  # The first failure is the one to tell.
        if create_pr and isinstance(error, (Passing, Unusable)) and not getattr(error, "refused", False):
            text = "the answer to the pull request was lost, and the Hub does not list those that are open"
            text = f"{hub.repo_id}: {text} ({error}). Look at {hub.page}/discussions before you run this again"
            raise PushError(Problem("E809", text)) from None
        return None
    if head is None or find_changes(wanted, head.files):
        return None
    return Landed(head.commit, f"{hub.page}/commit/{head.commit}")


def find_pull_request(hub: Hub, wanted: Sequence[LocalFile]) -> Landed | None:
    """The newest open pull request that has all of `wanted`. Raises PushError where the server lists none."""
    for number in sorted(_pull_requests(hub), reverse=True)[:_MOST_PULL_REQUESTS]:
        head = hub.look(f"refs/pr/{number}")
        if head is not None and not find_changes(wanted, head.files):
            page = f"{hub.page}/discussions/{number}"
            return Landed(head.commit, f"{hub.page}/commit/{head.commit}", page, number)
    return None


def _pull_requests(hub: Hub) -> list[int]:
    """Numbers of the open ones; where discussions are not listed, of all that have a revision."""

    def read() -> list[int]:
        found = hub.api.get_repo_discussions(hub.repo_id, discussion_type="pull_request", discussion_status="open")
        return [each.num for each in found if each.is_pull_request]

    def read_revisions() -> list[int]:
        refs = hub.api.list_repo_refs(hub.repo_id, include_pull_requests=True).pull_requests
        return [int(each.ref.rpartition("/")[2]) for each in refs]

    try:
        return list(hub.ask(read, "the list of pull requests"))
    except PushError:
        return list(hub.ask(read_revisions, "the list of pull requests"))
