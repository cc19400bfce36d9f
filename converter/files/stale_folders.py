"""Find and remove the temporary folders that killed runs left behind.

A temporary folder holds a marker: a file that names the folder and its inode and that is locked while its run lives.
The lock ends with the process, however it ends, so a marked folder with a free lock is stale. A folder without a valid
marker is never touched.

The package filelock does not fit here: it creates the file that it locks and may remove it on release, while this
marker must be new, must have content before it counts, and must never be created by the run that looks at it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

LOCK = ".lock"
#: Where a run that replaces an OUTPUT keeps the first one until the second is in its place.
REPLACED = "replaced"
_OLD_SECONDS = 600
_MOST_MARKER = 4096
#: For os.open: follow no link, leave no descriptor to children, translate no line ends.
OPEN_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def mark(folder: Path, replaces: str = "") -> IO[bytes]:
    """Make the marker of a new folder, locked as long as the returned file is open. `replaces`: the name next to the
    folder to which REPLACED is moved back if this run is killed."""
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL | OPEN_FLAGS, 0o600)
    handle = os.fdopen(descriptor, "r+b")
    try:
        # Locked before the content makes it a marker, so that no other run takes the folder for a stale one. On a file
        # system without locks nothing is ever cleared.
        with contextlib.suppress(OSError):
            _lock(handle)
        handle.write(_content(folder) + os.fsencode(replaces))
        handle.flush()
    except BaseException:
        handle.close()
        raise
    return handle


def _content(folder: Path) -> bytes:
    number = os.stat(folder, follow_symlinks=False).st_ino
    return f"paddle2torch\n{number}\n".encode() + os.fsencode(folder.name) + b"\n"


def clear_folders(parent: Path, pattern: str) -> None:
    """Remove this user's stale folders whose name matches `pattern`. What cannot be removed stays.

    A run that was killed before it made the marker, or after it removed it, leaves an empty folder. Only an old one is
    removed, because a live run has one for an instant.
    """
    with contextlib.suppress(OSError):
        for folder in parent.glob(pattern):
            with contextlib.suppress(OSError):
                if _is_ours(folder):
                    _clear(folder)


def _clear(folder: Path) -> None:
    if not os.path.lexists(folder / LOCK):
        if time.time() - folder.stat().st_mtime >= _OLD_SECONDS:
            os.rmdir(folder)  # fails when anything is in it
        return
    lock = try_lock(folder / LOCK)
    if lock is None:
        return
    with lock:
        start = _content(folder)
        content = lock.read(_MOST_MARKER)
        # Its run may have ended meanwhile: then the lock belongs to a removed file.
        is_marker = content.startswith(start) and os.fstat(lock.fileno()).st_nlink == 1
        if is_marker and give_back(folder, os.fsdecode(content[len(start) :])):
            remove_folder(folder)


def give_back(folder: Path, name: str) -> bool:
    """Move an OUTPUT that was about to be replaced back to its place if that is free. False when the move failed and
    the folder holds the only copy."""
    if not name or os.path.basename(name) != name or not (folder / REPLACED).is_dir():
        return True
    place = folder.parent / name
    if os.path.lexists(place):
        return True
    try:
        os.rename(folder / REPLACED, place)
    except OSError:
        return False
    return True


def remove_folder(folder: Path) -> None:
    """Remove a marked folder, the marker last, so that an interrupted removal is recognised too."""
    with contextlib.suppress(OSError):
        for entry in list(os.scandir(folder)):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            elif entry.name != LOCK:
                os.unlink(entry.path)
        os.unlink(folder / LOCK)
        os.rmdir(folder)


def _is_ours(folder: Path) -> bool:
    """Whether this user owns the folder: others can use any name in a shared parent folder."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    return not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid()


def try_lock(path: Path) -> IO[bytes] | None:
    """The locked file, or None when another process holds it or it is not a regular file. It is never created here."""
    handle = os.fdopen(os.open(path, os.O_RDWR | getattr(os, "O_NONBLOCK", 0) | OPEN_FLAGS), "r+b")
    try:
        if stat.S_ISREG(os.fstat(handle.fileno()).st_mode):
            _lock(handle)
            return handle
    except BlockingIOError:
        pass
    except BaseException:
        handle.close()
        raise
    handle.close()
    return None


def _lock(handle: IO[bytes]) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: an open file cannot be removed there, which serves the same end.
        return
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def scratch_folder(prefix: str) -> Iterator[Path]:
    """A temporary folder for the duration of the block. Stale folders with this prefix are removed first."""
    clear_folders(Path(tempfile.gettempdir()), f"{prefix}????????")
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    lock = mark(folder)
    try:
        yield folder
    finally:
        remove_folder(folder)
        lock.close()
