"""Free space on a disk."""

from __future__ import annotations

import shutil
from pathlib import Path


def lacking_space(folder: Path, needed: int) -> str | None:
    """Words for a message when `needed` more bytes do not fit on the disk of `folder`, else None. Raises OSError."""
    free = shutil.disk_usage(folder).free
    if free >= needed:
        return None
    return f"{free / 1e9:.2f} GB free, {needed / 1e9:.2f} GB needed"
