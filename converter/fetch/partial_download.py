"""A download that is not whole: its bytes so far, and which version of the file they are of."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from converter.fetch.cache import read_json, write_json
from converter.fetch.transport import Reply


@dataclass
class Part:
    """The beginning of a file, and of which version of it: only the same version may be continued."""

    path: Path
    etag: str | None = None
    modified: str | None = None
    total: int | None = None

    @classmethod
    def at(cls, path: Path) -> Part:
        told = read_json(path.with_name(f"{path.name}.json")) or {}
        part = cls(path, told.get("etag"), told.get("modified"), told.get("total"))
        if not told:
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
        """Forget what is here: the body of `reply` is another one, from its first byte."""
        self.clear()
        self.etag, self.modified = reply.headers.get("ETag"), reply.headers.get("Last-Modified")
        self.total = reply.length
        told = {"etag": self.etag, "modified": self.modified, "total": self.total}
        write_json(self.path.with_name(f"{self.path.name}.json"), told)

    def clear(self) -> None:
        self.path.unlink(missing_ok=True)
        self.path.with_name(f"{self.path.name}.json").unlink(missing_ok=True)
        self.etag = self.modified = self.total = None

    @property
    def validator(self) -> str | None:
        """What If-Range may name: a strong ETag, else a date."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.modified
