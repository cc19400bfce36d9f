"""A Hub id -> the folder of its snapshot in huggingface_hub's cache, with the files that a conversion needs.

huggingface_hub fetches (HF_ENDPOINT, HF_TOKEN and the proxies are its business) and does not compare what came with
the sum that the Hub tells. That is done here, for every file and on every run: the ETag of a large file is its sha256,
that of a small one git's sum of it.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any, Callable

from converter.common.errors import FetchError, Problem, SourceError
from converter.fetch.cache import cache_failure, check_space
from converter.fetch.download import WAITS
from converter.fetch.request import Progress
from converter.fetch.transport import silence_limit
from converter.files.hashing import git_blob_id, sha256_of
from converter.hub.fetch_errors import LOG_IN, Passing, explain, quiet
from converter.hub.progress import watched
from converter.hub.secrets import flaw_of
from converter.locate.check_download import check_kind
from converter.locate.hub_files import index_of, needed_files, shards_of
from converter.locate.locate import Located

_COMMIT = re.compile(r"[0-9a-f]{40}")
_REVISION = re.compile(r"[A-Za-z0-9][\w./-]{0,200}", re.ASCII)
_PLAIN = re.compile(r"[\w.-]{1,128}", re.ASCII)
_MOST_SMALL = 64 << 20


class Hub:
    """One repository at one revision. `cache`: None for huggingface_hub's own."""

    def __init__(self, repo_id: str, revision: str | None, cache: Path | None, progress: Progress) -> None:
        try:
            import huggingface_hub
            from huggingface_hub import constants
        except ImportError:
            text = f"{repo_id} is a Hub id, and huggingface_hub is missing: pip install huggingface_hub"
            raise FetchError(Problem("E710", text)) from None
        self._hub: Any = huggingface_hub
        self._always_offline = bool(constants.HF_HUB_OFFLINE)
        self.repo_id, self.revision, self._progress = repo_id, revision or "main", progress
        if not _REVISION.fullmatch(self.revision) or ".." in self.revision:
            raise SourceError(Problem("E090", f"--revision {self.revision!a} is no branch, tag or commit"))
        # Read here and not by huggingface_hub, which reads it once, when it is imported.
        self.endpoint = os.environ.get("HF_ENDPOINT") or None
        self.cache = cache or Path(constants.HF_HUB_CACHE)
        self.storage = self.cache / f"models--{repo_id.replace('/', '--')}"
        self._warnings: list[str] = []

    def locate(self, *, offline: bool) -> Located:
        """Raises FetchError."""
        if offline or self._always_offline:
            return self._from_cache("offline")
        flaw = flaw_of(self._hub.get_token())
        if flaw is not None:
            raise FetchError(Problem("E710", f"{self.repo_id}: {flaw}. {LOG_IN}"))
        try:
            commit, names = self._list()
        except Passing as error:
            return self._from_cache(str(error))
        snapshot = self._gather(commit, names)
        return Located(snapshot, f"{self.repo_id}@{commit}", tuple(self._warnings))

    def _list(self) -> tuple[str, list[str]]:
        """The commit that the revision stands for, and the names of the repository's files."""
        api = self._hub.HfApi(endpoint=self.endpoint)
        info = self._ask(
            lambda: api.model_info(self.repo_id, revision=self.revision, timeout=silence_limit()), "its list of files"
        )
        commit = info.sha or ""
        if not _COMMIT.fullmatch(commit):
            raise FetchError(Problem("E710", f"{self.repo_id}: the Hub tells no commit for {self.revision}"))
        return commit, [str(sibling.rfilename) for sibling in info.siblings or []]

    def _gather(self, commit: str, names: list[str]) -> Path:
        """Fetch what is needed, small files first, and only then note which commit the revision stands for: an
        offline run finds all or nothing."""
        small, weights = needed_files(names, self.repo_id)
        try:
            for name in small:
                snapshot = self._fetch(name, commit, small=True).parent
            path = self._fetch(weights, commit, small=index_of(weights))
            snapshot = path.parent
            for shard in shards_of(path) if index_of(weights) else ():
                if shard not in names:
                    raise FetchError(Problem("E710", f"{self.repo_id}: {weights} names {shard}, which is not there"))
                self._fetch(shard, commit, small=False)
            if self.revision != commit:
                self._call(lambda: self._download(weights, self.revision), weights)
        except Passing as error:
            raise FetchError(Problem("E703", f"{self.repo_id}: {error}. Run it again later")) from None
        return snapshot

    def _fetch(self, name: str, commit: str, *, small: bool) -> Path:
        """One file of the snapshot, with the sum that the Hub tells for it."""
        url = self._hub.hf_hub_url(self.repo_id, name, revision=commit, endpoint=self.endpoint)
        told = self._ask(lambda: self._hub.get_hf_file_metadata(url, timeout=silence_limit()), name)
        etag, size = told.etag or "", told.size
        if not _PLAIN.fullmatch(etag) or ".." in etag:  # It becomes a file's name.
            raise FetchError(Problem("E710", f"{self.repo_id}/{name}: the Hub tells no usable ETag ({etag!a})"))
        if small and (size or 0) > _MOST_SMALL:
            raise FetchError(
                Problem("E704", f"{self.repo_id}/{name}: {size:,} bytes, expected at most {_MOST_SMALL:,}")
            )
        for last in (False, True):
            was_here = (self.storage / "snapshots" / commit / name).exists()
            if not was_here and size is not None:
                self.cache.mkdir(parents=True, exist_ok=True)
                check_space(self.cache, size)
            with watched(self.storage / "blobs", name, 0 if was_here else size or 0, self._progress):
                path = Path(self._ask(lambda: self._download(name, commit), name))
            wrong = self._compare(path, etag, size)
            if wrong is None:
                return path
            self._discard(path)
            if last or not was_here:
                break
        raise FetchError(Problem("E705", f"{self.repo_id}/{name}: {wrong}. Not kept. Is something changing files?"))

    def _download(self, name: str, revision: str) -> str:
        return str(
            self._hub.hf_hub_download(
                self.repo_id, name, revision=revision, cache_dir=str(self.cache), endpoint=self.endpoint
            )
        )

    def _compare(self, path: Path, etag: str, size: int | None) -> str | None:
        """What is wrong with a file of the cache, or None."""
        have = path.stat().st_size
        if size is not None and have != size:
            return f"{have:,} bytes, expected {size:,}"
        if re.fullmatch(r"[0-9a-f]{64}", etag):
            stage = f"checking {path.name}"
            found = sha256_of(path, lambda done: self._progress(stage, done, have))
            return None if found == etag else f"sha256 is {found}, the Hub says {etag}"
        if re.fullmatch(r"[0-9a-f]{40}", etag):
            found = git_blob_id(path)
            return None if found == etag else f"git's sum is {found}, the Hub says {etag}"
        check_kind(path, f"{self.repo_id}/{path.name}")
        self._warnings.append(f"{path.name}: the Hub tells no sum of it, only its size was checked")
        return None

    def _discard(self, path: Path) -> None:
        """Take a wrong file out of the cache: the snapshot's link and the blob under it, nothing outside."""
        here = self.cache.resolve()
        while True:
            place = path.parent.resolve() / path.name
            target = Path(place.parent, os.readlink(place)) if place.is_symlink() else None
            if here in place.parents:
                place.unlink(missing_ok=True)
            if target is None:
                return
            path = target

    def _from_cache(self, why: str) -> Located:
        """The snapshot that an earlier run left, its sums compared again. Raises FetchError."""
        commit = self.revision
        if not _COMMIT.fullmatch(commit):
            try:
                commit = (self.storage / "refs" / self.revision).read_text().strip()
            except (OSError, ValueError):
                raise self._not_here(why, f"revision {self.revision}") from None
        snapshot = self.storage / "snapshots" / commit
        if not _COMMIT.fullmatch(commit) or not snapshot.is_dir():
            raise self._not_here(why, f"commit {commit[:40]}")
        names = sorted(os.listdir(snapshot))
        small, weights = needed_files(names, self.repo_id)
        wanted = [*small, weights]
        if index_of(weights):
            wanted += shards_of(snapshot / weights)
        for name in wanted:
            path = snapshot / name
            if not path.is_file():
                raise self._not_here(why, name)
            etag = os.path.basename(os.readlink(path)) if path.is_symlink() else ""
            wrong = self._compare(path, etag, None)
            if wrong is not None:
                self._discard(path)
                raise FetchError(Problem("E705", f"{self.repo_id}/{name} in the cache: {wrong}. Removed; {why}"))
        said = f"{why}: {self.repo_id} is taken from the cache, commit {commit}"
        return Located(snapshot, f"{self.repo_id}@{commit}", (said, *self._warnings))

    def _not_here(self, why: str, what: str) -> FetchError:
        return FetchError(
            Problem(
                "E703" if why != "offline" else "E709",
                f"{self.repo_id}: {why}, and the cache {self.cache} does not have {what}. Run it with a network",
            )
        )

    def _ask(self, request: Callable[[], Any], what: str) -> Any:
        """`_call`, again after a failure that may pass. Raises Passing when it does not."""
        for wait in (*WAITS[:2], None):
            try:
                return self._call(request, what)
            except Passing:
                if wait is None:
                    raise
                time.sleep(wait)
        raise AssertionError("unreachable")

    def _call(self, request: Callable[[], Any], what: str) -> Any:
        """Call huggingface_hub. Raises Passing for what may pass, FetchError for what will not."""
        try:
            with quiet():
                return request()
        except Exception as error:
            meaning = explain(error, self.repo_id, self.revision, what)
            if meaning is None and isinstance(error, OSError):
                raise cache_failure(self.cache, error) from error
            if meaning is None:
                raise
            raise meaning from None
