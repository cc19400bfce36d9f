"""A byte range of a file that is mapped only while it is read: 400 variable files would otherwise hold 400
descriptors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from converter.common.errors import file_error
from converter.files.regular_files import map_file
from converter.files.tensors import MappedBytes


@dataclass(frozen=True)
class MappedRange:
    """`size` bytes from `start` of a file that had `file_size` bytes when it was checked."""

    path: Path
    start: int
    size: int
    file_size: int

    @property
    def place(self) -> tuple[str, int, int]:
        return str(self.path), self.start, self.start + self.size

    def view(self) -> memoryview:
        """The bytes, mapped as long as the view lives. Raises FileError when the size of the file has changed."""
        return self._mapped().view()

    def _mapped(self) -> MappedBytes:
        buffer = map_file(self.path)
        if len(buffer) != self.file_size:
            reason = f"has {len(buffer)} bytes, and had {self.file_size} when it was opened. Is something writing it?"
            raise file_error("E303", self.path.name, reason)
        return MappedBytes(buffer, self.start, self.size)

    def pieces(self) -> Iterator[memoryview]:
        yield from self._mapped().pieces()

    def raw(self) -> MappedBytes | None:
        return self._mapped().raw()
