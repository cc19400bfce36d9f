"""The result of locating SOURCE."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Located:
    """Where SOURCE is on this machine, and where it came from: the built-in name, the address without credentials and
    query, or the Hub id and commit; None for what was on this machine."""

    path: Path
    origin: str | None = None
    warnings: tuple[str, ...] = ()
