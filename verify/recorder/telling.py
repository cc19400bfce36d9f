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
#: `texts` null are those in this script; `behavior` (one of BEHAVIORS) null is the source's own.
REQUEST = (
    "source",
    "files",
    "config",
    "fallback",
    "round_to",
    "tokenizer",
    "texts",
    "precision",
    "seed",
    "behavior",
    "output",
)

#: Exit statuses: the checkpoint cannot be recorded; this Paddle cannot be relied on.
REFUSED, BROKEN = 3, 4

#: Texts to tokenize, one a line. The joined script has them here; modules are given a file by the request.
SENTENCES = ""


class Refused(Exception):
    """The recording cannot be made, for a reason that the user can be told."""


class Broken(Refused):
    """This Paddle computes wrong numbers: what it says of a checkpoint means nothing."""


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
