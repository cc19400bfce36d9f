"""The recorder as one executable archive (zipapp): verify/recorder, verify/protocol and the sentences."""

from __future__ import annotations

import io
import os
import tempfile
import zipfile
from pathlib import Path

from converter.common.errors import OutputError, Problem

#: The usual name of the archive.
RECORDER = "record_paddle.pyz"
_VERIFY = Path(__file__).parents[1]
_MAIN = "import sys\n\nfrom verify.recorder.main import main\n\nsys.exit(main())\n"
_PACKAGE = (
    '"""The recorder of paddle2torch (its folder verify/recorder), packed by `paddle2torch reference script`."""\n'
)
#: The earliest time that a zip archive can hold: the same files always give the same bytes.
_TIME = (1980, 1, 1, 0, 0, 0)


def bundle_recorder() -> bytes:
    """The archive: the two folders under their own names, so that imports are the same in it and in the tree."""
    buffer = io.BytesIO()
    # Not compressed: zlib's releases differ in their output, and the archive is 200 kB.
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(_contents().items()):
            entry = zipfile.ZipInfo(name, _TIME)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return b"#!/usr/bin/env python3\n" + buffer.getvalue()


def _contents() -> dict[str, bytes]:
    """Name in the archive -> bytes. The package `verify` itself has no code there: the tree's imports everything."""
    folders = [_VERIFY / "protocol", _VERIFY / "recorder"]
    files = [path for folder in folders for kind in ("*.py", "*.json") for path in folder.rglob(kind)]
    named = {
        path.relative_to(_VERIFY.parent).as_posix(): path.read_bytes() for path in [*files, _VERIFY / "sentences.txt"]
    }
    return {**named, "__main__.py": _MAIN.encode(), "verify/__init__.py": _PACKAGE.encode()}


def write_recorder(path: Path) -> None:
    """Write the archive to a file, whole or not at all. Raises OutputError if another file is in its place."""
    if path.exists() and not _is_recorder(path):
        raise OutputError(Problem("E501", f"{path} exists and is no recorder of paddle2torch's. Name another file"))
    handle, partial = tempfile.mkstemp(dir=path.absolute().parent, prefix=".record-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(bundle_recorder())
        os.chmod(partial, 0o644)
        os.replace(partial, path)
    finally:
        Path(partial).unlink(missing_ok=True)


def _is_recorder(path: Path) -> bool:
    if not path.is_file() or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return "verify/recorder/main.py" in archive.namelist()
