"""What the recorder is asked, and how it tells what it does and why it stops."""

from __future__ import annotations

import hashlib
import json
import sys
from typing import Any

TRACE_FORMAT = 2

#: Fields of the request. `files` are the weight files that were looked at and may be opened; `fallback` are config
#: fields for weights that have no config beside them. `round_to` is the dtype that every weight is rounded to first, of
#: an output in another dtype than the source's, or null.
REQUEST = ("source", "files", "config", "fallback", "round_to", "tokenizer", "texts", "precision", "seed", "output")


class Refused(Exception):
    """The recording cannot be made, for a reason that the user can be told."""


def say(text: str) -> None:
    print("@progress " + text)
    sys.stdout.flush()


def read_json(path: str) -> Any:
    with open(path, encoding="utf-8-sig") as file:
        return json.load(file)


def file_sha256(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 22), b""):
            digest.update(block)
    return digest.hexdigest()
