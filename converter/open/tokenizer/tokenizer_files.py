"""The tokenizer's files next to a checkpoint, as every kind of tokenizer has them, and how each file is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from converter.common.errors import Problem, SourceError
from converter.common.layout import SENTENCEPIECE, VOCABULARY
from converter.files.json_files import read_json
from converter.files.regular_files import is_file
from converter.open.tokenizer.tokenizer_settings import TokenizerSettings

_MOST_BYTES = 64 << 20


@dataclass(frozen=True)
class TokenizerFiles:
    """The files that decide tokens, as bytes, and the settings next to them.

    `vocabulary` has one token a line, whichever form the file had; `sentencepiece` is empty for a kind without one.
    `rows` is the number of lines. `added_tokens` are those that vocab.txt does not hold, with their ids, which may be
    numbers of vocab.txt. `names` are the files' own.
    """

    folder: Path
    vocabulary: bytes
    sentencepiece: bytes
    rows: int
    settings: TokenizerSettings
    added_tokens: Mapping[str, int]
    warnings: tuple[str, ...] = ()
    names: tuple[str, ...] = field(default=(VOCABULARY, SENTENCEPIECE))


def files_there(folder: Path, names: Sequence[str]) -> list[str]:
    """Those names that a file of the folder has."""
    return [name for name in names if is_file(folder / name)]


def read_whole(path: Path) -> bytes:
    """A file of a bounded size. Raises SourceError."""
    size = path.stat().st_size
    if not 0 < size <= _MOST_BYTES:
        raise SourceError(Problem("E021", f"{path.name} has {size} bytes, expected 1 to {_MOST_BYTES}"))
    return path.read_bytes()


def read_optional(path: Path, warnings: list[str]) -> Mapping[str, Any]:
    """The object in a JSON file; an empty one where the file is not there. Raises FileError."""
    if not is_file(path):
        return {}
    data, odd = read_json(path)
    warnings += odd
    return data
