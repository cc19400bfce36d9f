"""Files: JSON, vocabularies, the kind of a weight file by its first bytes, checksums."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any


def read_json(path: str) -> Any:
    """The content of a JSON file, with or without a byte order mark."""
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
    """The SHA-256 of a file, in hex."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 22), b""):
            digest.update(block)
    return digest.hexdigest()


def read_vocabulary(path: str) -> Any:
    """token -> id: one token a line, or token TAB id. Split at line feeds alone, as one token is U+0085."""
    with open(path, encoding="utf-8-sig", newline="\n") as file:
        lines = [line.rstrip("\n").rstrip("\r") for line in file]
    if lines and "\t" in lines[0]:
        return dict((token, int(number)) for token, number in (line.split("\t") for line in lines if line))
    return dict((token, number) for number, token in enumerate(lines))
