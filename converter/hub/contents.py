"""Files on this machine and files on the Hub, with the checksums by which they are compared."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from converter.files.hashing import read_pieces, start_git_blob


@dataclass(frozen=True)
class LocalFile:
    """A file to upload: its name in the repository, its bytes or its path, its size in bytes and both checksums that a
    Hub may report: the sha256, and git's blob id."""

    name: str
    content: Path | bytes
    size: int
    sha256: str
    blob_id: str


@dataclass(frozen=True)
class RemoteFile:
    """A file as the Hub describes it. `sha256` is None for one that is not in LFS."""

    size: int
    blob_id: str
    sha256: str | None

    def equals(self, file: LocalFile) -> bool:
        if self.size != file.size:
            return False
        return self.sha256 == file.sha256 if self.sha256 is not None else self.blob_id == file.blob_id


@dataclass(frozen=True)
class RemoteRevision:
    """A revision of a repository as it is now. `private`: None where the server does not report it."""

    commit: str
    private: bool | None
    files: dict[str, RemoteFile]


@dataclass(frozen=True)
class Commit:
    """A commit that is on the Hub. `pull_request`: the page of the pull request that it opened, `number` its number."""

    commit: str
    url: str
    pull_request: str | None = None
    number: int | None = None


def read_local_file(name: str, path: Path) -> LocalFile:
    """A file under its name in the repository, read once for both checksums. Raises OSError."""
    size = os.stat(path).st_size
    sha256, blob_id = hashlib.sha256(), start_git_blob(size)
    for piece in read_pieces(path):
        sha256.update(piece)
        blob_id.update(piece)
    return LocalFile(name, path, size, sha256.hexdigest(), blob_id.hexdigest())


def make_local_file(name: str, content: bytes) -> LocalFile:
    """A file to upload that exists only in memory."""
    blob_id = start_git_blob(len(content))
    blob_id.update(content)
    return LocalFile(name, content, len(content), hashlib.sha256(content).hexdigest(), blob_id.hexdigest())
