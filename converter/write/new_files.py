"""Files of an OUTPUT that is being written: each made new, in the one folder that this run opened, and remembered.

Whoever may write into that folder could else put a link under a name that is about to be written, or a file of his own
next to the others.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from converter.common.errors import OutputError, Problem
from converter.files.stale_folders import OPEN_FLAGS

_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL
#: Windows has no handles of folders to open files by.
_BY_HANDLE = os.open in os.supports_dir_fd and hasattr(os, "O_DIRECTORY")


class NewFolder:
    """A folder that was just made, by its handle, and what was written into it: name -> number and size."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | OPEN_FLAGS) if _BY_HANDLE else None
        self.files: dict[str, tuple[int, int]] = {}
        _open_folders[path] = self

    def close(self) -> None:
        _open_folders.pop(self.path, None)
        if self.handle is not None:
            os.close(self.handle)
            self.handle = None

    def check(self) -> None:
        """Raises OutputError when anything lies there that was not written by this run, or not as it was written."""
        if self.handle is not None and os.stat(self.path, follow_symlinks=False).st_ino != os.fstat(self.handle).st_ino:
            raise self._refusal(f"{self.path} is another folder than was made")
        names = set(os.listdir(self.handle if self.handle is not None else self.path))
        for name in sorted(names | set(self.files)):
            if name not in self.files:
                raise self._refusal(f"{name} was put there by something else")
            if name not in names:
                raise self._refusal(f"{name} is gone")
            found = os.stat(self._place(name), dir_fd=self.handle, follow_symlinks=False)
            if not stat.S_ISREG(found.st_mode) or (found.st_ino, found.st_size) != self.files[name]:
                raise self._refusal(f"{name} is another file than was written")

    def _refusal(self, reason: str) -> OutputError:
        text = f"while OUTPUT was written its folder was changed: {reason}. Nothing was kept"
        return OutputError(Problem("E508", f"{text}. Is another program at work in {self.path.parent.parent}?"))

    def _place(self, name: str) -> str | Path:
        return name if self.handle is not None else self.path / name

    @contextmanager
    def create(self, name: str) -> Iterator[BinaryIO]:
        try:
            descriptor = os.open(self._place(name), _NEW | OPEN_FLAGS, 0o666, dir_fd=self.handle)
        except FileExistsError:
            raise self._refusal(f"{name} was put there by something else") from None
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            facts = os.fstat(file.fileno())
            self.files[name] = facts.st_ino, facts.st_size


_open_folders: dict[Path, NewFolder] = {}


@contextmanager
def create_file(path: Path) -> Iterator[BinaryIO]:
    """A new file to write into. Raises FileExistsError where anything has its name, a link included."""
    folder = _open_folders.get(path.parent)
    if folder is not None:
        with folder.create(path.name) as file:
            yield file
        return
    with os.fdopen(os.open(path, _NEW | OPEN_FLAGS, 0o666), "w+b") as file:
        yield file


def write_file(path: Path, data: bytes) -> None:
    """A new file with these bytes. Raises FileExistsError where anything has its name, a link included."""
    with create_file(path) as file:
        file.write(data)
