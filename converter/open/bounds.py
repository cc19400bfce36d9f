"""Limits for the number of tensors of a checkpoint and the total length of their names."""

from __future__ import annotations

from collections.abc import Iterable

from converter.common.errors import FileError, Problem, about

#: A large model with its optimizer has 2,000.
MOST_TENSORS = 40_000
#: Characters of all names together; 400 tensors have 20,000.
MOST_NAMES = 8 << 20


class NameCount:
    """Counts the names of one checkpoint, over all its files."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._names = self._characters = 0

    def add(self, names: Iterable[str]) -> None:
        """Raises FileError for more tensors, or longer names, than any checkpoint has."""
        for name in names:
            self._names += 1
            self._characters += len(name)
            if self._names > MOST_TENSORS:
                raise self._refusal(f"more than {MOST_TENSORS:,} tensors")
            if self._characters > MOST_NAMES:
                raise self._refusal(f"the names of its tensors are longer than {MOST_NAMES >> 20} MiB together")

    def _refusal(self, reason: str) -> FileError:
        return FileError(Problem("E312", about(self._file, f"{reason}, which no checkpoint has")))


def check_names_bounded(names: Iterable[str], file: str) -> None:
    """Raises FileError for more tensors, or longer names, than any checkpoint has."""
    NameCount(file).add(names)
