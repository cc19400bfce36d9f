"""A safetensors file of arrays in which every bit has a checksum: the arrays' are in the head, the head's is in front
of it."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any


def write_checked(path: str, key: str, arrays: Any, head: dict[str, Any]) -> None:
    """Write arrays and head, whole or not at all. `key`: the name of the head in the metadata. Adds "arrays", the sums,
    to the head."""
    from safetensors.numpy import save_file

    head["arrays"] = {name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in arrays.items()}
    text = json.dumps(head, sort_keys=True)
    digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
    partial = path + ".partial"
    try:
        save_file(arrays, partial, metadata={key: digest + text})
        os.replace(partial, path)
    finally:
        if os.path.exists(partial):
            os.remove(partial)


def read_checked(path: str, key: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The head and the arrays of a file that `write_checked` wrote. Raises ValueError when it is none, or has other
    sums than when it was written; OSError when it cannot be read."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get(key)
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(str(error)) from error
    if text is None:
        raise ValueError(f"a safetensors file without {key}")
    if hashlib.sha256(text[64:].encode("utf-8")).hexdigest() != text[:64]:
        raise ValueError("its head has another sum than when it was written")
    head = json.loads(text[64:])
    sums = {name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in arrays.items()}
    changed = sorted(name for name in set(sums) | set(head["arrays"]) if sums.get(name) != head["arrays"].get(name))
    if changed:
        raise ValueError(f"{changed[0]} has another sum than when it was written")
    return head, arrays
