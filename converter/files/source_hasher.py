"""The checksums of the source's files, computed while its tensors are copied."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path

from converter.common.errors import file_error
from converter.files.hashing import read_pieces
from converter.files.tensors import SourceFile


class SourceHasher(threading.Thread):
    """Compute the SHA-256 of the source's files on a thread, while the tensors are copied."""

    def __init__(self, files: Sequence[SourceFile]) -> None:
        super().__init__(name="source-hasher", daemon=True)
        self._files = files
        self._stopped = threading.Event()
        self._checksums: list[tuple[str, int, str]] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            for file in self._files:
                self._checksums.append((file.name, file.size, self._hash(file.path, file.size)))
        except BaseException as error:  # result() raises it in the thread that waits.
            self._error = error

    def _hash(self, path: Path, size: int) -> str:
        digest, done = hashlib.sha256(), 0
        for piece in read_pieces(path):
            if self._stopped.is_set():
                break
            digest.update(piece)
            done += len(piece)
        if done != size and not self._stopped.is_set():
            reason = f"has {done} bytes, and had {size} when it was opened. Is something writing it?"
            raise file_error("E303", path.name, reason)
        return digest.hexdigest()

    def stop(self) -> None:
        self._stopped.set()
        self.join()

    def result(self) -> list[tuple[str, int, str]]:
        """Name, size in bytes and sha256 of each file; waits for them."""
        self.join()
        if self._error is not None:
            raise self._error
        return self._checksums
