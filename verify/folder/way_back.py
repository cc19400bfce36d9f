"""A SOURCE that `to-paddle` made of OUTPUT: its record names OUTPUT, and OUTPUT's manifest cannot name it.

The weights, numbers and tokens are compared as always. Only what OUTPUT's manifest has on where it came from is another
matter: that was an earlier checkpoint, or a model trained in PyTorch, whose folder has no manifest.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from converter.common.layout import BACK_MANIFEST
from verify.results.json_objects import read_object


def is_made_of(source: Path, sums: Mapping[str, str]) -> bool:
    """Whether SOURCE's folder records that it was made of OUTPUT, whose files have these SHA-256: by the sum of every
    file that it names, the weights among them."""
    try:
        record = read_object(source / BACK_MANIFEST)
        files = {str(file["name"]): str(file["sha256"]) for file in record["source"]["files"]}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False
    weights = [name for name in sums if name.endswith(".safetensors") and name in files]
    return bool(weights) and all(sums.get(name) == digest for name, digest in files.items())


def describe_way_back(*, lost: bool) -> str:
    """The warning in place of what the manifest cannot show. `lost`: there is none."""
    text = f"SOURCE is what to-paddle made of OUTPUT, by its {BACK_MANIFEST}"
    if lost:
        return f"{text}. OUTPUT has no manifest: it was not written by convert, and no checksum of before is known"
    return f"{text}: the checkpoint that OUTPUT was made from before is not at hand and was not compared"
