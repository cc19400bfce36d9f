"""Progress of a download that huggingface_hub makes, the same way in each of its versions: how large the file is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from converter.fetch.request import Progress

_SECONDS = 0.25


@contextmanager
def watched(blobs: Path, name: str, total: int, progress: Progress) -> Iterator[None]:
    """Report the size of what grows in `blobs` while the block runs; nothing when `total` is 0."""
    if total == 0:
        yield
        return
    stage, ended = f"fetching {name}", threading.Event()
    progress(stage, 0, total)

    def watch() -> None:
        while not ended.wait(_SECONDS):
            size = max(map(_size, blobs.glob("*.incomplete")), default=0)
            if size:
                progress(stage, min(size, total), total)

    watcher = threading.Thread(target=watch, name="download-watcher", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
