"""Bytes of a file that is mapped only while they are read: 400 variables would else hold 400 descriptors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from converter.common.errors import file_error
from converter.files.regular_files import map_file
from converter.files.tensors import RawRun


@dataclass(frozen=True)
class FileRun:
    """`size` bytes from `start` of a file that had `file_size` bytes when it was checked."""

    path: Path
    start: int
    size: int
    file_size: int

    @property
    def place(self) -> tuple[str, int, int]:
        return str(self.path), self.start, self.start + self.size

    def view(self) -> memoryview:
        """The bytes, mapped for as long as the view lives. Raises FileError when the file has changed its size."""
        return self._mapped().view()

    def _mapped(self) -> RawRun:
        buffer = map_file(self.path)
        if len(buffer) != self.file_size:
            said = f"has {len(buffer)} bytes, and had {self.file_size} when it was opened. Is something writing it?"
            raise file_error("E303", self.path.name, said)
        return RawRun(buffer, self.start, self.size)

    def pieces(self) -> Iterator[memoryview]:
        yield from self._mapped().pieces()

    def raw(self) -> RawRun | None:
        return self._mapped().raw()
