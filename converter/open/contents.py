"""What a file holds, recognised by its first bytes. Its name is asked only where these show nothing."""

from __future__ import annotations

import os
from pathlib import Path

from converter.files.regular_files import HEAD_BYTES, is_safetensors, map_file, open_file
from converter.open.static_graph.lod_tensor import starts_as_stream
from converter.open.torch.torch_pickle import LEGACY_START

SAFETENSORS, TORCH, PICKLE, STREAM = "safetensors", "torch", "pickle", "stream"
#: What each kind is called in a warning.
SAID = {
    SAFETENSORS: "a safetensors file",
    TORCH: "a file of torch.save",
    PICKLE: "a pickle (as .pdparams files are)",
    STREAM: "a static graph's tensors (as .pdiparams files have them)",
}
_ZIP_START = b"PK\x03\x04"
#: PROTO and a protocol that Paddle, numpy and Python write. Older ones have no start of their own.
_PICKLE_STARTS = tuple(bytes((0x80, protocol)) for protocol in (2, 3, 4, 5))


def tell_content(path: Path) -> str:
    """SAFETENSORS, TORCH, PICKLE, STREAM, or '' for what is not recognised. Raises FileError for what is no regular
    file, or empty."""
    with map_file(path) as buffer:
        head, size = bytes(buffer[:HEAD_BYTES]), len(buffer)
    if is_safetensors(head, size):
        return SAFETENSORS
    if head.startswith(LEGACY_START) or (head.startswith(_ZIP_START) and _is_of_torch(path, head)):
        return TORCH
    if head.startswith(_PICKLE_STARTS):
        return PICKLE
    # Zeros alone are a download that broke.
    return STREAM if any(head) and starts_as_stream(head) else ""


def _is_of_torch(path: Path, head: bytes) -> bool:
    """Whether a zip archive is one of torch.save: those hold a data.pkl, usually as their first entry."""
    if b"/data.pkl" in head:
        return True
    import zipfile  # It takes its time.

    try:
        with os.fdopen(open_file(path), "rb") as handle, zipfile.ZipFile(handle) as archive:
            return any(name.endswith("/data.pkl") for name in archive.namelist())
    except Exception:  # zipfile raises many kinds for damage
        return False
