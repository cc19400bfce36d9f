"""How to locate SOURCE, and the result."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FetchOptions:
    """How to fetch SOURCE: `revision` is for Hub ids; `cache` takes the place of PADDLE2TORCH_CACHE; `offline`, or
    HF_HUB_OFFLINE, asks no server."""

    revision: str | None = None
    cache: Path | str | None = None
    offline: bool = False


@dataclass(frozen=True)
class Located:
    """Where SOURCE is on this machine, and where it came from: the built-in name, the address without credentials and
    query, or the Hub id and commit; None for what was on this machine."""

    path: Path
    origin: str | None = None
    warnings: tuple[str, ...] = ()
