"""Arguments as users write them: paths as text or Path, sizes as text or number."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import overload

from converter.common.errors import Problem, SourceError

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B?", re.IGNORECASE)


@overload
def as_path(given: str | Path) -> Path: ...
@overload
def as_path(given: str | Path | None) -> Path | None: ...
def as_path(given: str | Path | None) -> Path | None:
    """The path, with the home folder in the place of ~."""
    return None if given is None else Path(expand_home(os.fspath(given)))


def expand_home(text: str) -> str:
    """A path with the home folder in the place of ~, which a shell leaves where the argument is quoted."""
    return os.path.expanduser(text) if text.startswith("~") and not os.path.lexists(text) else text


def parse_size(size: int | str) -> int:
    """Bytes of a size like 5GB (1000s), 5GiB (1024s) or 123. Raises SourceError."""
    if isinstance(size, int):
        if size < 1:
            raise SourceError(Problem("E091", f"max_shard_size is {size}, expected at least 1 byte"))
        return size
    match = _SIZE.fullmatch(size.strip())
    count = 0
    if match:
        base = 1024 if match[3] else 1000
        count = int(float(match[1]) * base ** " KMGT".index(match[2].upper() or " "))
    if count < 1:
        raise SourceError(Problem("E091", f"--max-shard-size {size!r}: expected a size like 5GB, 500MB or 2GiB"))
    return count
