"""What a killed run leaves is recognised and cleared by the next one.

A folder of ours holds a locked file while its run lives. The lock goes with the process, however it ends, and so a
folder whose lock is free is a leftover.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

LOCK = ".lock"
_OLD_SECONDS = 600


def clear_folders(parent: Path, pattern: str) -> None:
    """Remove this user's folders of that name whose run is dead. What cannot be removed stays.

    For an instant at its beginning and its end a live run's folder has no lock: only an old one of those is cleared.
    """
    with contextlib.suppress(OSError):
        for folder in parent.glob(pattern):
            with contextlib.suppress(OSError):
                if _is_ours(folder):
                    _clear(folder)


def _clear(folder: Path) -> None:
    if not (folder / LOCK).exists() and time.time() - folder.stat().st_mtime < _OLD_SECONDS:
        return
    lock = try_lock(folder / LOCK)
    if lock is not None:
        with lock:
            shutil.rmtree(folder, ignore_errors=True)


def _is_ours(folder: Path) -> bool:
    """In a folder that everybody may write to, another user's may have any name."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    return not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid()


def try_lock(path: Path) -> IO[bytes] | None:
    """The locked file, or None when another process holds it."""
    try:
        import fcntl
    except ImportError:  # Windows: an open file cannot be removed there, which serves the same end.
        return open(path, "ab")
    handle = open(path, "ab")  # noqa: SIM115 (the lock lives as long as the handle)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        return None
    return handle


@contextmanager
def scratch_folder(prefix: str) -> Iterator[Path]:
    """A temporary folder for the length of the block. Those that killed runs left with this prefix are removed."""
    clear_folders(Path(tempfile.gettempdir()), f"{prefix}????????")
    with tempfile.TemporaryDirectory(prefix=prefix) as name:
        lock = try_lock(Path(name, LOCK))
        try:
            yield Path(name)
        finally:
            if lock is not None:
                lock.close()
