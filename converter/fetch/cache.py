"""The cache of downloads: a folder for each address, with files that were complete and checked when they came in.

ROOT/KIND/LABEL-KEY/files/NAME          complete and checked; nothing else is ever here
ROOT/KIND/LABEL-KEY/records/NAME.json   size, sha256 and the server's validators of this version
ROOT/KIND/LABEL-KEY/NAME.part           a download that is not complete; NAME.part.json has its version
ROOT/KIND/LABEL-KEY/incoming/NAME       complete, being checked
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
    """The folder of downloads and of the reference environment: `named`, else the variable's, else the user's."""
    chosen = named or os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "paddle2torch"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "paddle2torch"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "paddle2torch"


@dataclass(frozen=True)
class FileRecord:
    """A file in the cache: size in bytes, sha256, and the ETag and Last-Modified that the server sent with it."""

    size: int
    sha256: str
    etag: str | None = None
    modified: str | None = None


class CacheEntry:
    """The folder of one address, or of one built-in name, in the cache."""

    def __init__(self, root: Path, kind: str, label: str, key: str) -> None:
        self.root = root
        self.folder = root / kind / f"{label}-{key}"
        self.files = self.folder / "files"

    @contextmanager
    def locked(self, report: Callable[[str], None]) -> Iterator[None]:
        """Keep other processes out while this one fetches. Waits for one that is fetching."""
        from filelock import FileLock, Timeout

        self.files.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / "lock")
        try:
            lock.acquire(blocking=False)
        except Timeout:
            report("waiting: another run fetches the same source")
            lock.acquire()
        try:
            shutil.rmtree(self.folder / "incoming", ignore_errors=True)
            yield
        finally:
            lock.release()

    def find(self, name: str) -> tuple[Path, FileRecord] | None:
        """A file that still has the checksum that it had when it came, and its record; None otherwise."""
        path, record = self.files / name, self._read_record(name)
        if record is None or not path.is_file() or path.stat().st_size != record.size:
            return None
        return (path, record) if sha256_of(path) == record.sha256 else None

    def keep(self, name: str, path: Path, record: FileRecord) -> Path:
        """Move a checked file in: first the record, then the file, so that no file is here without a record."""
        self.discard(name)
        write_json(self.folder / "records" / f"{name}.json", asdict(record))
        os.replace(path, self.files / name)
        return self.files / name

    def discard(self, name: str) -> None:
        (self.files / name).unlink(missing_ok=True)
        (self.folder / "records" / f"{name}.json").unlink(missing_ok=True)

    def _read_record(self, name: str) -> FileRecord | None:
        data = read_json(self.folder / "records" / f"{name}.json")
        try:
            return FileRecord(**data) if data is not None else None
        except TypeError:  # Another version's.
            return None


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a small JSON file of this tool; None when it is missing or damaged."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) else None


def write_json(path: Path, data: object) -> None:
    """Write a small JSON file of this tool, completely or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.writing")
    partial.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    os.replace(partial, path)


def check_space(folder: Path, needed: int) -> None:
    """Raise FetchError (E708) if fewer than `needed` bytes are free."""
    lack = lacking_space(folder, needed)
    if lack is not None:
        text = f"the cache {folder}: {lack}. Free some, or name another place with --cache or {VARIABLE}"
        raise FetchError(Problem("E708", text))


def cache_failure(root: Path, error: OSError) -> FetchError:
    """The error of this tool for a failure of the file system in the cache."""
    text = f"the cache {root} cannot be used: {error.strerror or error}. An incomplete file is not kept"
    return FetchError(Problem("E708", f"{text}. Name another place with --cache or {VARIABLE}"))
