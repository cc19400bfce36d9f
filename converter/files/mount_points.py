"""Folders that another file system, or another folder, is mounted on."""

from __future__ import annotations

import os
import re
from pathlib import Path

#: Linux lists here what is mounted where: in the fifth column, with spaces as octal escapes (proc(5)).
_MOUNTS = Path("/proc/self/mountinfo")


def is_mount_point(path: Path) -> bool:
    """Whether something is mounted on this folder, such as a volume of a container. Nothing can be renamed to its
    place. A folder of the same file system that is mounted here is seen on Linux alone."""
    place = os.path.realpath(path)
    if os.path.ismount(place):
        return True
    try:
        lines = _MOUNTS.read_bytes().splitlines()
    except OSError:
        return False
    return os.fsencode(place) in (_unescape(fields[4]) for fields in map(bytes.split, lines) if len(fields) > 4)


def _unescape(text: bytes) -> bytes:
    return re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), text)
