"""JSON files of OUTPUT, read strictly: a key that stands twice is read in two ways by two programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from converter.common.errors import Paddle2TorchError
from converter.files.json_files import parse_json

#: The manifest of a model of a thousand layers has 7 MB.
MOST_BYTES = 64 << 20


def read_object(path: Path) -> dict[str, Any]:
    """The object in a JSON file. Raises ValueError that names what is wrong, OSError where it cannot be read."""
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise ValueError(f"it has {size:,} bytes, more than {MOST_BYTES:,}")
    try:
        data, odd = parse_json(path.read_bytes(), path.name)
    except Paddle2TorchError as error:
        text = error.problems[0].text
        raise ValueError(text.partition(": ")[2] or text) from None
    if odd:  # A byte-order mark, which transformers does not read over.
        raise ValueError(odd[0])
    return data
