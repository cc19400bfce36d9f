"""The repository on the Hub, through huggingface_hub's own client: what is there, and a commit to it.

The client sends the bytes (LFS or xet, its bars, going on where it was cut). What it does not do is done here: try a
commit again on 429 and 503, and look whether a commit is there when its answer was lost.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Callable

from converter.common.errors import Problem, PushError
from converter.common.interrupts import nothing_to_tidy
from converter.hub.changes import RemoteFile
from converter.hub.fetch_errors import quiet, shown
from converter.hub.find_commit import Landed, find_landed
from converter.hub.publish_errors import (
    MAKING,
    Conflict,
    Missing,
    Passing,
    Unusable,
    explain,
    refuse_wait,
)
from converter.hub.retry import LONGEST_WAIT, impatient
from converter.hub.secrets import hide_secrets
from converter.hub.token import NO_TOKEN, foresee
from converter.publish.folder import LocalFile

#: Seconds between tries, when the server does not ask for more.
WAITS = (1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True)
class Head:
    """A revision as it is now. `private` is the repository's, None where the server does not tell."""

    commit: str
    private: bool | None
    files: dict[str, RemoteFile]


class Hub:
    """One repository. `say` is called with a line when something is waited for."""

    def __init__(self, repo_id: str, token: str | None, say: Callable[[str], None]) -> None:
        try:
            import huggingface_hub
            from huggingface_hub import constants
        except ImportError:
            text = "huggingface_hub is missing: pip install huggingface_hub"
            raise PushError(Problem("E812", text)) from None
        self._hub: Any = huggingface_hub
        self._constants: Any = constants
        self.repo_id, self._token, self._say = repo_id, token, say
        self._renamed = False
        endpoint = os.environ.get("HF_ENDPOINT") or constants.ENDPOINT
        self.endpoint = str(endpoint).rstrip("/")
        if constants.HF_HUB_OFFLINE:
            raise PushError(Problem("E809", f"{repo_id}: HF_HUB_OFFLINE is set, so no server is asked. Unset it"))
        self.api: Any = huggingface_hub.HfApi(endpoint=self.endpoint, token=token or False)

    @property
    def shown(self) -> str:
        """The endpoint without the name and password that it may have."""
        return hide_secrets(self.endpoint, self._token)

    @property
    def page(self) -> str:
        return f"{self.shown}/{self.repo_id}"

    def owner(self) -> dict[str, Any]:
        """What the Hub tells of the token and of whose it is. Raises PushError (E805) for one that it refuses."""
        told = self.ask(self.api.whoami, "the token's owner")
        if not isinstance(told, dict) or not isinstance(told.get("name"), str):
            text = f"{self.repo_id}: the answer to the token's owner names nobody. Is HF_ENDPOINT right?"
            raise PushError(Problem("E812", text))
        return told

    def foresee(self, create_pr: bool) -> list[str]:
        """Why a push may be refused, before it is tried. Raises PushError (E805) for a token that the Hub refuses; a
        server that does not say whose it is, or is too busy for it, passes."""
        if self._token is None:
            return [NO_TOKEN]
        try:
            return foresee(self.owner(), self.repo_id, create_pr=create_pr)
        except PushError as error:
            if error.problems[0].code == "E805":
                raise
            return []

    def look(self, revision: str | None = None) -> Head | None:
        """The revision as it is now, None when there is no such repository. Raises Missing for a revision."""
        try:
            info = self.ask(lambda: self.api.model_info(self.repo_id), "the repository")
        except Missing:
            return None
        if revision is not None:
            info = self.ask(lambda: self.api.model_info(self.repo_id, revision=revision), f"the revision {revision}")
        if info.id != self.repo_id and not self._renamed:
            self._renamed = True
            self._say(f"{self.repo_id} is called {shown(str(info.id))[:200]} now: the Hub leads there")
        if not info.sha:
            return Head("", info.private, {})
        return Head(str(info.sha), info.private, self.tree(str(info.sha), revision or "main"))

    def tree(self, commit: str, named: str) -> dict[str, RemoteFile]:
        """Every file of a commit with the sums that the Hub tells. `named`: what to ask for where a server knows no
        commits."""
        try:
            return self._tree(commit)
        except Missing:
            return self._tree(named)

    def _tree(self, revision: str) -> dict[str, RemoteFile]:

        def read() -> dict[str, RemoteFile]:
            entries = self.api.list_repo_tree(self.repo_id, recursive=True, revision=revision)
            return {
                entry.path: RemoteFile(entry.size, entry.blob_id, entry.lfs.sha256 if entry.lfs else None)
                for entry in entries
                if hasattr(entry, "blob_id")
            }

        return dict(self.ask(read, "the list of its files"))

    def create(self, private: bool) -> None:
        """Make the repository, public ones as the owner's settings say. One that is there already is no error: an
        answer may have been lost."""
        with suppress(Conflict):
            self.ask(lambda: self.api.create_repo(self.repo_id, private=private or None), MAKING)

    def create_branch(self, name: str) -> None:
        with suppress(Conflict):
            self.ask(lambda: self.api.create_branch(self.repo_id, branch=name), f"making the branch {name}")

    def commit(
        self,
        files: Sequence[LocalFile],
        wanted: Sequence[LocalFile],
        deleted: Sequence[str],
        *,
        over_ignored: bool = False,
        **options: Any,
    ) -> Landed:
        """Send `files`, delete `deleted`, in one commit; `wanted` are all files that the result has. `over_ignored`:
        the repository has a .gitignore, which is not to keep anything back. `options` are create_commit's: message,
        revision, parent, whether a pull request. Raises PushError."""

        def send() -> Landed:
            operations = [
                self._hub.CommitOperationAdd(
                    file.name, file.content if isinstance(file.content, bytes) else str(file.content)
                )
                for file in files
            ]
            operations += [self._hub.CommitOperationDelete(name) for name in deleted]
            with nothing_to_tidy():
                if over_ignored:
                    self._say_all_are_sent(operations, options)
                info = self.api.create_commit(self.repo_id, operations, **options)
            pull = info.pr_url if options.get("create_pr") else None
            return Landed(info.oid, info.commit_url, pull, info.pr_num if pull else None)

        found: Landed = self.ask(
            send, "the commit", lambda error: find_landed(self, error, wanted, **options), bars=True
        )
        return found

    def _say_all_are_sent(self, operations: Sequence[Any], options: dict[str, Any]) -> None:
        """Have the large files sent under a .gitignore that names nothing: with the one on the Hub huggingface_hub
        leaves out what it names, without a word."""
        self.api.preupload_lfs_files(
            self.repo_id,
            [each for each in operations if isinstance(each, self._hub.CommitOperationAdd)],
            revision=options["revision"],
            create_pr=options["create_pr"],
            free_memory=False,
            gitignore_content="# nothing\n",
        )

    def ask(
        self,
        request: Callable[[], Any],
        what: str,
        landed: Callable[[Exception], Landed | None] | None = None,
        *,
        bars: bool = False,
    ) -> Any:
        """Call huggingface_hub, again after what may pass. `landed` looks whether a request whose answer was lost has
        been done. Raises PushError."""
        for wait in (*WAITS, None):
            try:
                return self._call(request, what, bars)
            except (Passing, Conflict, Unusable) as error:
                found = landed(error) if landed is not None else None
                if found is not None:
                    return found
                if not isinstance(error, Passing):
                    raise
                if wait is None or error.tried or error.wait > LONGEST_WAIT:
                    raise error.as_error(self.repo_id) from None
                pause = max(wait, error.wait)
                self._say(f"{error.reason}: trying again in {pause:.0f} s")
                time.sleep(pause)
        raise AssertionError("unreachable")

    def _call(self, request: Callable[[], Any], what: str, bars: bool) -> Any:
        outer = sys.exc_info()[1]
        try:
            with quiet(bars=bars and sys.stderr is not None and sys.stderr.isatty()), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with impatient(lambda response: refuse_wait(response, what)):
                    return request()
        except (PushError, MemoryError):
            raise
        except Exception as error:
            if "xet-write-token" in str(error) and "404" in str(error) and not self._constants.HF_HUB_DISABLE_XET:
                self._constants.HF_HUB_DISABLE_XET = True
                self._say("this server has no xet storage: large files go to its LFS")
                return self._call(request, what, bars)
            raise explain(error, self.repo_id, what, self._token, outer) from None
