"""Where downloads are kept: a folder for each address, in it files that were whole and checked when they came in.

ROOT/KIND/LABEL-KEY/files/NAME          whole and checked; nothing else is ever here
ROOT/KIND/LABEL-KEY/records/NAME.json   size, sha256 and what the server called this version
ROOT/KIND/LABEL-KEY/NAME.part           a download under way or cut; NAME.part.json says of which version
ROOT/KIND/LABEL-KEY/incoming/NAME       whole, being checked
ROOT/KIND/LABEL-KEY/lock                held by the run that fetches
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Callable

from converter.common.errors import FetchError, Problem
from converter.files.disk import lacking_space
from converter.files.hashing import sha256_of

VARIABLE = "PADDLE2TORCH_CACHE"


def cache_folder(named: Path | str | None = None) -> Path:
    """Where downloads and the reference environment are kept: named, else by the variable, else the user's folder."""
    chosen = named or os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "paddle2torch"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "paddle2torch"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "paddle2torch"


@dataclass(frozen=True)
class Record:
    """What is known of a file in the cache. `etag` and `modified` are the server's words for this version."""

    size: int
    sha256: str
    etag: str | None = None
    modified: str | None = None


class Entry:
    """The folder of one address, or of one built-in name."""

    def __init__(self, root: Path, kind: str, label: str, key: str) -> None:
        self.root = root
        self.folder = root / kind / f"{label}-{key}"
        self.files = self.folder / "files"

    @contextmanager
    def locked(self, say: Callable[[str], None]) -> Iterator[None]:
        """Keep other processes out while this one fetches. Waits for the one that is in."""
        self.files.mkdir(parents=True, exist_ok=True)
        with open(self.folder / "lock", "ab") as handle:
            try:
                import fcntl
            except ImportError:  # Windows: files in use cannot be replaced there, which serves the same end.
                yield
                return
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                say("waiting: another run fetches the same source")
                fcntl.flock(handle, fcntl.LOCK_EX)
            shutil.rmtree(self.folder / "incoming", ignore_errors=True)
            yield

    def find(self, name: str) -> tuple[Path, Record] | None:
        """A file that is here and still has the sum that it had when it came, and its record."""
        path, record = self.files / name, self._read_record(name)
        if record is None or not path.is_file() or path.stat().st_size != record.size:
            return None
        return (path, record) if sha256_of(path) == record.sha256 else None

    def keep(self, name: str, path: Path, record: Record) -> Path:
        """Move a checked file in: first the record, then the file, so that no file is ever here without one."""
        self.discard(name)
        write_json(self.folder / "records" / f"{name}.json", asdict(record))
        os.replace(path, self.files / name)
        return self.files / name

    def discard(self, name: str) -> None:
        (self.files / name).unlink(missing_ok=True)
        (self.folder / "records" / f"{name}.json").unlink(missing_ok=True)

    def _read_record(self, name: str) -> Record | None:
        data = read_json(self.folder / "records" / f"{name}.json")
        try:
            return Record(**data) if data is not None else None
        except TypeError:  # Another version's.
            return None


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in one of our own small files; None when it is missing or damaged."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) else None


def write_json(path: Path, data: object) -> None:
    """Write one of our own small files, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.writing")
    partial.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    os.replace(partial, path)


def check_space(folder: Path, needed: int) -> None:
    """Raises FetchError when `needed` more bytes do not fit."""
    lack = lacking_space(folder, needed)
    if lack is not None:
        text = f"the cache {folder}: {lack}. Free some, or name another place with --cache or {VARIABLE}"
        raise FetchError(Problem("E708", text))


def cache_failure(root: Path, error: OSError) -> FetchError:
    """What an error of the file system means, when it happens in the cache."""
    reason = error.strerror or str(error)
    return FetchError(
        Problem(
            "E708",
            f"the cache {root} cannot be used: {reason}. What was fetched so far is not taken for whole. Name another "
            f"place with --cache or {VARIABLE}",
        )
    )
