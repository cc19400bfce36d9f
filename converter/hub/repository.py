"""A repository on the Hub to publish to: what it has, and a commit to it.

huggingface_hub sends the bytes (LFS or xet, its progress bars, continuing an upload that was cut). It neither repeats a
commit after 429 and 503 nor checks whether a commit exists that got no answer. That is done here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Callable

from converter.common.errors import Problem, PushError
from converter.common.interrupts import nothing_to_tidy
from converter.hub.client import HubClient
from converter.hub.contents import Commit, LocalFile, RemoteFile, RemoteRevision
from converter.hub.errors import (
    CREATING,
    Activity,
    ConflictError,
    MissingError,
    UnusableAnswerError,
    make_error,
    make_give_up_error,
)
from converter.hub.messages import hide_secrets, to_ascii
from converter.hub.retry import HubTransientError
from converter.hub.token import NO_TOKEN, predict_refusals

#: Whether the files of a revision are those that a commit was to result in.
IsComplete = Callable[[Mapping[str, RemoteFile]], bool]
_TRIES = 5
_MOST_PULL_REQUESTS = 20


class HubRepository(HubClient):
    """One repository. `report` is called with a line when something is waited for.

    `repo_id`: OWNER/NAME, or NAME for a repository of the token's owner. Raises PushError without a token where
    `needs_token`.
    """

    def __init__(self, repo_id: str, report: Callable[[str], None], *, needs_token: bool) -> None:
        super().__init__(Activity(repo_id, publishing=True), report, _TRIES)
        self._token = self.read_token()
        if self._token is None and needs_token:
            raise make_error("no token", self.activity)
        if self.is_offline:
            raise make_error("offline", self.activity)
        self._renamed = False
        self.api: Any = self.library.HfApi(endpoint=self.endpoint, token=self._token or False)
        if "/" not in repo_id:
            self.activity = replace(self.activity, repo_id=f"{self._read_owner()['name']}/{repo_id}")

    @property
    def repo_id(self) -> str:
        return self.activity.repo_id

    @property
    def shown_endpoint(self) -> str:
        """The endpoint without the name and password that it may contain."""
        return hide_secrets(self.endpoint, self._token)

    @property
    def page(self) -> str:
        return f"{self.shown_endpoint}/{self.repo_id}"

    def predict_refusals(self, create_pr: bool) -> list[str]:
        """Why a push may be refused, before it is tried. Raises PushError (E805) for a token that the Hub refuses; a
        server that does not name its owner, or is too busy to, is no reason."""
        if self._token is None:
            return [NO_TOKEN]
        try:
            return predict_refusals(self._read_owner(), self.repo_id, create_pr=create_pr)
        except PushError as error:
            if error.problems[0].code == "E805":
                raise
            return []

    def read_revision(self, revision: str | None = None) -> RemoteRevision | None:
        """The revision (main by default) as it is now, None if there is no such repository. Raises MissingError if the
        repository has no such revision."""
        try:
            info = self._ask(lambda: self.api.model_info(self.repo_id), "the repository")
        except MissingError:
            return None
        if revision is not None:
            info = self._ask(lambda: self.api.model_info(self.repo_id, revision=revision), f"the revision {revision}")
        if info.id != self.repo_id and not self._renamed:
            self._renamed = True
            self.report(f"{self.repo_id} is called {to_ascii(str(info.id))[:200]} now: the Hub leads there")
        if not info.sha:
            return RemoteRevision("", info.private, {})
        commit = str(info.sha)
        return RemoteRevision(commit, info.private, self.read_files(commit, revision or "main"))

    def read_files(self, commit: str, revision: str) -> dict[str, RemoteFile]:
        """Every file of a commit with the checksums that the Hub reports. A server that knows no commits is asked for
        `revision`."""
        try:
            return self._read_files(commit)
        except MissingError:
            return self._read_files(revision)

    def create(self, private: bool) -> None:
        """Create the repository: private, or as the owner's settings are. One that exists is no error: an answer may
        have been lost."""
        with suppress(ConflictError):
            self._ask(lambda: self.api.create_repo(self.repo_id, private=private or None), CREATING)

    def create_branch(self, name: str) -> None:
        with suppress(ConflictError):
            self._ask(lambda: self.api.create_branch(self.repo_id, branch=name), f"creating the branch {name}")

    def commit(
        self,
        files: Sequence[LocalFile],
        deleted: Sequence[str],
        is_complete: IsComplete,
        *,
        has_gitignore: bool,
        **options: Any,
    ) -> Commit:
        """Send `files` and delete `deleted` in one commit, or find it where it was made and the answer was lost.

        `has_gitignore`: the repository has one, which must not keep any file back. `options` are those of
        create_commit: commit_message, revision, parent_commit, create_pr. Raises PushError.
        """

        def send() -> Commit:
            added = [
                self.library.CommitOperationAdd(
                    file.name, file.content if isinstance(file.content, bytes) else str(file.content)
                )
                for file in files
            ]
            removed = [self.library.CommitOperationDelete(name) for name in deleted]
            with nothing_to_tidy():
                if has_gitignore:
                    self._upload_ignored_files(added, options)
                info = self.api.create_commit(self.repo_id, [*added, *removed], **options)
            page = info.pr_url if options["create_pr"] else None
            return Commit(info.oid, info.commit_url, page, info.pr_num if page else None)

        def find_made(error: Exception) -> Commit | None:
            return self._find_made(error, is_complete, options["revision"], options["create_pr"])

        made: Commit = self._ask(send, "the commit", find_result=find_made, bars=True)
        return made

    def find_pull_request(self, is_complete: IsComplete) -> Commit | None:
        """The newest open pull request that has all files. Raises PushError if the server lists none."""
        for number in sorted(self._list_pull_requests(), reverse=True)[:_MOST_PULL_REQUESTS]:
            found = self._find_commit(f"refs/pr/{number}", is_complete)
            if found is not None:
                return replace(found, pull_request=f"{self.page}/discussions/{number}", number=number)
        return None

    def _find_commit(self, revision: str, is_complete: IsComplete) -> Commit | None:
        """The commit of the revision, if it has all files."""
        found = self.read_revision(revision)
        if found is None or not is_complete(found.files):
            return None
        return Commit(found.commit, f"{self.page}/commit/{found.commit}")

    def _ask(self, request: Callable[[], Any], what: str, **options: Any) -> Any:
        try:
            return self.call(request, what, **options)
        except HubTransientError as error:
            raise make_give_up_error(error, self.activity) from None

    def _read_owner(self) -> dict[str, Any]:
        """What the Hub reports about the token and its owner. Raises PushError (E805) for one that it refuses."""
        owner = self._ask(self.api.whoami, "the token's owner")
        if not isinstance(owner, dict) or not isinstance(owner.get("name"), str):
            text = f"{self.repo_id}: the answer to the token's owner has no name. Is HF_ENDPOINT right?"
            raise PushError(Problem("E812", text))
        return owner

    def _read_files(self, revision: str) -> dict[str, RemoteFile]:
        entries = self._ask(
            lambda: list(self.api.list_repo_tree(self.repo_id, recursive=True, revision=revision)),
            "the list of its files",
        )
        return {
            entry.path: RemoteFile(entry.size, entry.blob_id, entry.lfs.sha256 if entry.lfs else None)
            for entry in entries
            if hasattr(entry, "blob_id")
        }

    def _upload_ignored_files(self, added: Sequence[Any], options: dict[str, Any]) -> None:
        """Upload the large files with an empty .gitignore: huggingface_hub would leave out the files that the one on
        the Hub names, without a message."""
        self.api.preupload_lfs_files(
            self.repo_id,
            added,
            revision=options["revision"],
            create_pr=options["create_pr"],
            free_memory=False,
            gitignore_content="# nothing\n",
        )

    def _find_made(self, error: Exception, is_complete: IsComplete, revision: str, create_pr: bool) -> Commit | None:
        """The commit, or an open pull request, that was made although `error` took the place of its answer. Raises
        PushError if a pull request may have been opened and none can be listed: another try could open a second."""
        try:
            if create_pr:
                return self.find_pull_request(is_complete)
            return self._find_commit(revision, is_complete)
        except PushError:  # The first failure is the one to report.
            unclear = isinstance(error, (HubTransientError, UnusableAnswerError))
            if create_pr and unclear and not getattr(error, "refused", False):
                text = "the answer to the pull request was lost, and the Hub does not list those that are open"
                text = f"{self.repo_id}: {text} ({error}). Look at {self.page}/discussions before you run this again"
                raise PushError(Problem("E809", text)) from None
            return None

    def _list_pull_requests(self) -> list[int]:
        """Numbers of the open ones; where discussions are not listed, of all that have a revision."""
        what, wanted = "the list of pull requests", {"discussion_type": "pull_request", "discussion_status": "open"}
        try:
            found = self._ask(lambda: list(self.api.get_repo_discussions(self.repo_id, **wanted)), what)
            return [each.num for each in found if each.is_pull_request]
        except PushError:
            refs = self._ask(lambda: self.api.list_repo_refs(self.repo_id, include_pull_requests=True), what)
            return [int(each.ref.rpartition("/")[2]) for each in refs.pull_requests]
