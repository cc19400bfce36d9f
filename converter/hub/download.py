"""Files of a repository, downloaded into huggingface_hub's cache and compared with the checksums of the Hub.

huggingface_hub downloads (HF_ENDPOINT, HF_TOKEN and the proxies are its business) and does not compare a file with the
checksum that the Hub reports. That is done here, for every file and on every run: the ETag of a large file is its
sha256, that of a small one is git's blob id.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from converter.common.errors import FetchError, Problem, SourceError
from converter.common.progress import ByteProgress
from converter.fetch.cache import check_space
from converter.fetch.error_pages import refuse_error_page
from converter.fetch.transport import silence_limit
from converter.files.hashing import git_blob_id, sha256_of
from converter.hub.client import HubClient
from converter.hub.errors import Activity
from converter.hub.names import COMMIT, REVISION

_PLAIN = re.compile(r"[\w.-]{1,128}", re.ASCII)
_MOST_SMALL = 64 << 20
_TRIES = 3
_WATCH_SECONDS = 0.25


class HubDownload(HubClient):
    """Downloads of one repository at one revision. `cache`: None for huggingface_hub's own."""

    def __init__(self, repo_id: str, revision: str | None, cache: Path | None, progress: ByteProgress) -> None:
        activity = Activity(repo_id, publishing=False, revision=revision or "main")
        super().__init__(activity, lambda line: progress(line, 0, 0), _TRIES)
        self.repo_id, self.revision, self._progress = repo_id, activity.revision, progress
        if not REVISION.fullmatch(self.revision) or ".." in self.revision:
            raise SourceError(Problem("E090", f"--revision {self.revision!a} is no branch, tag or commit"))
        self.cache = cache or Path(self.constants.HF_HUB_CACHE)
        self.storage = self.cache / f"models--{repo_id.replace('/', '--')}"
        self.warnings: list[str] = []

    def list_files(self) -> tuple[str, list[str]]:
        """The commit of the revision, and the names of its files. Raises FetchError or HubTransientError."""
        self.read_token()
        api = self.library.HfApi(endpoint=self.endpoint)
        info = self.call(
            lambda: api.model_info(self.repo_id, revision=self.revision, timeout=silence_limit()), "its list of files"
        )
        commit = info.sha or ""
        if not COMMIT.fullmatch(commit):
            raise FetchError(Problem("E710", f"{self.repo_id}: the Hub reports no commit for {self.revision}"))
        return commit, [str(sibling.rfilename) for sibling in info.siblings or []]

    def download(self, name: str, commit: str, *, small: bool) -> Path:
        """One file of the commit, with the checksum that the Hub reports for it. `small`: no file of this name is
        larger than 64 MiB. Raises FetchError or HubTransientError."""
        url = self.library.hf_hub_url(self.repo_id, name, revision=commit, endpoint=self.endpoint)
        metadata = self.call(lambda: self.library.get_hf_file_metadata(url, timeout=silence_limit()), name)
        etag, size = metadata.etag or "", metadata.size
        if not _PLAIN.fullmatch(etag) or ".." in etag:  # It becomes the name of a file.
            raise FetchError(Problem("E710", f"{self.repo_id}/{name}: the Hub reports no usable ETag ({etag!a})"))
        if small and (size or 0) > _MOST_SMALL:
            text = f"{self.repo_id}/{name}: {size:,} bytes, expected at most {_MOST_SMALL:,}"
            raise FetchError(Problem("E704", text))
        for last in (False, True):
            was_cached = (self.storage / "snapshots" / commit / name).exists()
            if not was_cached and size is not None:
                self.cache.mkdir(parents=True, exist_ok=True)
                check_space(self.cache, size)
            with _watch_growth(self.storage / "blobs", name, 0 if was_cached else size or 0, self._progress):
                path = Path(self.call(lambda: self._call_library(name, commit), name))
            difference = self.compare(path, etag, size)
            if difference is None:
                return path
            self.discard(path)
            if last or not was_cached:
                break
        text = f"{self.repo_id}/{name}: {difference}. Not kept. Is something changing files?"
        raise FetchError(Problem("E705", text))

    def record_revision(self, name: str) -> None:
        """Let huggingface_hub note which commit the revision is; `name`: a file that has been downloaded."""
        self.call_once(lambda: self._call_library(name, self.revision), name)

    def compare(self, path: Path, etag: str, size: int | None) -> str | None:
        """How a file of the cache differs from what the Hub reports, or None."""
        found_size = path.stat().st_size
        if size is not None and found_size != size:
            return f"{found_size:,} bytes, expected {size:,}"
        if re.fullmatch(r"[0-9a-f]{64}", etag):
            stage = f"checking {path.name}"
            found = sha256_of(path, lambda done: self._progress(stage, done, found_size))
            return None if found == etag else f"sha256 is {found}, the Hub reports {etag}"
        if re.fullmatch(r"[0-9a-f]{40}", etag):
            found = git_blob_id(path)
            return None if found == etag else f"git's blob id is {found}, the Hub reports {etag}"
        refuse_error_page(path, f"{self.repo_id}/{path.name}")
        self.warnings.append(f"{path.name}: the Hub reports no checksum for it, only its size was checked")
        return None

    def discard(self, path: Path) -> None:
        """Remove a wrong file from the cache: the snapshot's link and the blob that it leads to, nothing outside."""
        here = self.cache.resolve()
        while True:
            place = path.parent.resolve() / path.name
            target = Path(place.parent, os.readlink(place)) if place.is_symlink() else None
            if here in place.parents:
                place.unlink(missing_ok=True)
            if target is None:
                return
            path = target

    def _call_library(self, name: str, revision: str) -> str:
        options = {"revision": revision, "cache_dir": str(self.cache), "endpoint": self.endpoint}
        return str(self.library.hf_hub_download(self.repo_id, name, **options))


@contextmanager
def _watch_growth(blobs: Path, name: str, total: int, progress: ByteProgress) -> Iterator[None]:
    """Report the size of the file that grows in `blobs` during the block, the same way for each version of
    huggingface_hub. `total` is in bytes; nothing is reported when it is 0."""
    if total == 0:
        yield
        return
    stage, ended = f"fetching {name}", threading.Event()
    progress(stage, 0, total)

    def watch() -> None:
        while not ended.wait(_WATCH_SECONDS):
            size = max(map(_size_of, blobs.glob("*.incomplete")), default=0)
            if size:
                progress(stage, min(size, total), total)

    watcher = threading.Thread(target=watch, name="download-watcher", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
