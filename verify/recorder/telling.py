"""Why a recording stops, the kinds of files, and the texts that come with the script."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

#: Texts to tokenize, one a line. The joined script has them here; modules are given a file by the request.
SENTENCES = ""


class Refused(Exception):
    """The recording cannot be made, for a reason that the user can be told."""


class Broken(Refused):
    """This Paddle computes wrong numbers: what it says of a checkpoint means nothing."""


def read_json(path: str) -> Any:
    with open(path, encoding="utf-8-sig") as file:
        return json.load(file)


def content_of(path: str) -> str:
    """The kind of a file by its first bytes, whatever its name: safetensors, torch, pickle, or "" for another."""
    with open(path, "rb") as file:
        head = file.read(16)
    if head[8:9] == b"{" and head[9:10] in b'"} \n' and int.from_bytes(head[:8], "little") <= os.path.getsize(path) - 8:
        return "safetensors"
    if head.startswith((b"PK\x03\x04", b"\x80\x02\x8a\x0al\xfc\x9cF\xf9")):  # a zip, or torch's form before 1.6
        return "torch"
    return "pickle" if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05") else ""


def file_sha256(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 22), b""):
            digest.update(block)
    return digest.hexdigest()
