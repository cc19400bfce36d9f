"""What OUTPUT has to upload: regular files with their sums. Links and special files are refused, for a link can lead
to anything."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from converter.common.errors import Problem, PushError
from converter.files.hashing import start_git_blob

REPORTS = "verification"
CARD = "README.md"
REPORT, TRACE = f"{REPORTS}/report.json", f"{REPORTS}/trace.safetensors"
#: What of the report's folder is evidence.
EVIDENCE = (REPORT, f"{REPORTS}/report.html", f"{REPORTS}/junit.xml", TRACE)
#: In bytes. A larger trace is left out.
LARGEST_TRACE = 20_000_000
_MOST_FILES = 5000


@dataclass(frozen=True)
class LocalFile:
    """A file to upload: its name in the repository, its bytes or where they are, and both sums that a Hub may tell.

    `sha256` is what LFS calls it, `git_sum` (sha1 of `blob SIZE`, a zero byte and the bytes) what git does.
    """

    name: str
    content: Path | bytes
    size: int
    sha256: str
    git_sum: str


@dataclass(frozen=True)
class Listing:
    """The files of OUTPUT, and the names that are left out with the reason."""

    files: tuple[LocalFile, ...]
    left_out: tuple[tuple[str, str], ...]

    def without(self, names: set[str]) -> tuple[LocalFile, ...]:
        return tuple(file for file in self.files if file.name not in names)

    def find(self, name: str) -> LocalFile | None:
        return next((file for file in self.files if file.name == name), None)


def list_files(output: Path) -> Listing:
    """Every file of OUTPUT, in the order of names. Raises PushError (E804) with every link and special file."""
    problems: list[Problem] = []
    left_out: list[tuple[str, str]] = []
    names: list[str] = []
    try:
        for name, entry in _walk(output, ""):
            kind = entry.stat(follow_symlinks=False).st_mode
            reason = _leave_out(name, entry)
            if stat.S_ISLNK(kind):
                problems.append(Problem("E804", f"{name} is a symbolic link. Put the file itself in its place"))
            elif reason:
                left_out.append((name, reason))
            elif not name.isprintable():
                shown = ascii(name)[1:-1]
                problems.append(Problem("E804", f"{shown}: no repository takes a name with such letters. Rename it"))
            elif not stat.S_ISREG(kind):
                problems.append(Problem("E804", f"{name} is not a regular file. Remove it"))
            else:
                names.append(name)
            if len(names) > _MOST_FILES:
                raise PushError(Problem("E804", f"{output}: more than {_MOST_FILES} files. Is it the right folder?"))
        if problems:
            raise PushError(*problems)
        files = tuple(read_sums(name, output / name) for name in sorted(names))
    except OSError as error:
        reason = error.strerror or str(error)
        raise PushError(Problem("E804", f"{error.filename or output}: cannot be read ({reason})")) from None
    return Listing(files, tuple(sorted(left_out)))


def _walk(folder: Path, prefix: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Files, links and special files below `folder`, and folders that are not entered; names with slashes."""
    with os.scandir(folder) as entries:
        for entry in entries:
            name = prefix + entry.name
            if entry.is_dir(follow_symlinks=False) and not _leave_out(name, entry):
                yield from _walk(Path(entry.path), f"{name}/")
            else:
                yield name, entry


def _leave_out(name: str, entry: os.DirEntry[str]) -> str:
    """Why a file or folder is not uploaded; empty for one that is."""
    if entry.name.startswith("."):
        return "hidden"
    if entry.name == "__pycache__" or entry.name.endswith(".pyc"):
        return "made by Python"
    if name.startswith(f"{REPORTS}/") and name not in EVIDENCE:
        return "no part of the evidence"
    if name == TRACE and entry.stat(follow_symlinks=False).st_size >= LARGEST_TRACE:
        return f"{LARGEST_TRACE // 1_000_000} MB or more"
    return ""


def read_sums(name: str, path: Path) -> LocalFile:
    """A file under its name in the repository, read once for both sums. Raises OSError."""
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        sha256, sha1 = hashlib.sha256(), start_git_blob(size)
        for piece in iter(lambda: file.read(1 << 20), b""):
            sha256.update(piece)
            sha1.update(piece)
    return LocalFile(name, path, size, sha256.hexdigest(), sha1.hexdigest())


def in_memory(name: str, content: bytes) -> LocalFile:
    """A file that is made here, and is not in OUTPUT."""
    sha1 = start_git_blob(len(content))
    sha1.update(content)
    return LocalFile(name, content, len(content), hashlib.sha256(content).hexdigest(), sha1.hexdigest())
