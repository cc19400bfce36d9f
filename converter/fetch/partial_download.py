"""A download that is not complete: its bytes so far, and the version of the file that they belong to."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from converter.fetch.cache import read_json, write_json
from converter.fetch.transport import Reply


@dataclass
class PartialFile:
    """The beginning of a file and the validators of its version: only the same version may be continued. `total`: the
    size in bytes of the complete file, where it is known."""

    path: Path
    etag: str | None = None
    modified: str | None = None
    total: int | None = None

    @classmethod
    def at(cls, path: Path) -> PartialFile:
        saved = read_json(path.with_name(f"{path.name}.json")) or {}
        part = cls(path, saved.get("etag"), saved.get("modified"), saved.get("total"))
        if not saved:
            part.clear()
        return part

    @property
    def size(self) -> int:
        try:
            return os.stat(self.path).st_size
        except FileNotFoundError:
            return 0

    @property
    def complete(self) -> bool:
        return self.total is not None and self.size == self.total

    def begin(self, reply: Reply) -> None:
        """Discard the bytes so far: the body of `reply` starts at the first byte."""
        self.clear()
        self.etag, self.modified = reply.headers.get("ETag"), reply.headers.get("Last-Modified")
        self.total = reply.length
        saved = {"etag": self.etag, "modified": self.modified, "total": self.total}
        write_json(self.path.with_name(f"{self.path.name}.json"), saved)

    def clear(self) -> None:
        self.path.unlink(missing_ok=True)
        self.path.with_name(f"{self.path.name}.json").unlink(missing_ok=True)
        self.etag = self.modified = self.total = None

    @property
    def validator(self) -> str | None:
        """The value for If-Range: a strong ETag, else a date."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.modified
