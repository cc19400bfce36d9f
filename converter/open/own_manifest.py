"""The manifest by which a folder is known that this tool made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from converter.common.errors import Paddle2TorchError
from converter.common.layout import MANIFEST
from converter.files.json_files import read_json
from converter.files.regular_files import is_file


def read_own_manifest(folder: Path) -> dict[str, Any]:
    """The manifest; an empty one where there is none of this tool's, or it is damaged, which `verify` reports."""
    if not is_file(folder / MANIFEST):
        return {}
    try:
        manifest = read_json(folder / MANIFEST)[0]
    except Paddle2TorchError:
        return {}
    return manifest if manifest.get("tool") == "paddle2torch" else {}
