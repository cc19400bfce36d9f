"""Files on this machine and files on the Hub, with the checksums by which they are compared."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_PIECE = 1 << 20


@dataclass(frozen=True)
class LocalFile:
    """A file to upload: its name in the repository, its bytes or its path, its size in bytes and both checksums that a
    Hub may report: the sha256, and git's blob id (see `hash_as_git`)."""

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
    sha256 = hashlib.sha256()
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size

        def pieces() -> Iterator[bytes]:
            for piece in iter(lambda: file.read(_PIECE), b""):
                sha256.update(piece)
                yield piece

        blob_id = hash_as_git(size, pieces())
    return LocalFile(name, path, size, sha256.hexdigest(), blob_id)


def make_local_file(name: str, content: bytes) -> LocalFile:
    """A file to upload that exists only in memory."""
    size = len(content)
    return LocalFile(name, content, size, hashlib.sha256(content).hexdigest(), hash_as_git(size, [content]))


def hash_as_git(size: int, pieces: Iterable[bytes]) -> str:
    """Git's id of a file's content: the sha1 of `blob SIZE`, a zero byte and the content."""
    digest = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()
