"""Recognise the format of a weight file by its first bytes. Its name matters only where these are not enough."""

from __future__ import annotations

import os
from pathlib import Path

from converter.files.regular_files import HEAD_BYTES, is_safetensors, map_file, open_file
from converter.open.static_graph.lod_tensor import starts_as_stream
from converter.open.torch.torch_pickle import LEGACY_START

SAFETENSORS, TORCH, PICKLE, STREAM = "safetensors", "torch", "pickle", "stream"
#: The words for each format in a warning.
DESCRIPTIONS = {
    SAFETENSORS: "a safetensors file",
    TORCH: "a file of torch.save",
    PICKLE: "a pickle (as in .pdparams files)",
    STREAM: "a static graph's tensors (as in .pdiparams files)",
}
_ZIP_START = b"PK\x03\x04"
#: PROTO and its protocol. Protocols 0 and 1 have no fixed first bytes.
_PICKLE_STARTS = tuple(bytes((0x80, protocol)) for protocol in (2, 3, 4, 5))


def recognise_content(path: Path) -> str:
    """SAFETENSORS, TORCH, PICKLE, STREAM, or '' for an unknown format. Raises FileError for an empty file and for
    what is not a regular file."""
    with map_file(path) as buffer:
        head, size = bytes(buffer[:HEAD_BYTES]), len(buffer)
    if is_safetensors(head, size):
        return SAFETENSORS
    if head.startswith(LEGACY_START) or (head.startswith(_ZIP_START) and _is_of_torch(path, head)):
        return TORCH
    if head.startswith(_PICKLE_STARTS):
        return PICKLE
    # Only zeros: a broken download.
    return STREAM if any(head) and starts_as_stream(head) else ""


def _is_of_torch(path: Path, head: bytes) -> bool:
    """Whether a zip archive is one of torch.save: those hold a data.pkl, usually as their first entry."""
    if b"/data.pkl" in head:
        return True
    import zipfile  # Slow to import.

    try:
        with os.fdopen(open_file(path), "rb") as handle, zipfile.ZipFile(handle) as archive:
            return any(name.endswith("/data.pkl") for name in archive.namelist())
    except Exception:  # zipfile raises many kinds of errors for damage.
        return False
