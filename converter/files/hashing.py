"""Checksums of files, read in pieces of 1 MiB."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from typing_extensions import TypeAlias

    Hasher: TypeAlias = "hashlib._Hash"

_PIECE = 1 << 20


def sha256_of(path: Path, progress: Callable[[int], None] | None = None) -> str:
    """The SHA-256 of a file as hexadecimal digits. `progress` is called with the bytes read so far. Raises OSError."""
    return _digest(hashlib.sha256(), path, progress)


def md5_of(path: Path) -> str:
    """The MD5 of a file as hexadecimal digits: some servers publish no other checksum. Raises OSError."""
    return _digest(hashlib.md5(usedforsecurity=False), path)


def git_blob_id(path: Path) -> str:
    """Git's name for a file's content, which the Hub uses for files outside LFS. Raises OSError."""
    return _digest(start_git_blob(os.stat(path).st_size), path)


def start_git_blob(size: int) -> Hasher:
    """A SHA-1 to which the bytes of a git blob of `size` bytes are still to be added: its header is `blob SIZE` and a
    zero byte."""
    return hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)


def read_pieces(path: Path) -> Iterator[memoryview]:
    """The bytes of a file, in pieces that are each valid until the next is asked for: new memory for each would cost
    as much as reading it. Raises OSError."""
    piece = memoryview(bytearray(_PIECE))
    with open(path, "rb", buffering=0) as file:
        while size := file.readinto(piece):
            yield piece[:size]


def _digest(hasher: Hasher, path: Path, progress: Callable[[int], None] | None = None) -> str:
    done = 0
    for piece in read_pieces(path):
        hasher.update(piece)
        done += len(piece)
        if progress is not None:
            progress(done)
    return hasher.hexdigest()
