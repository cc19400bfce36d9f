"""What the reference environment holds, and how a complete one is recognised."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from converter.fetch.cache import read_json

#: Releases that import together on Python 3.11. PaddleNLP itself asks for less than it needs.
PINS = ("paddlepaddle==3.3.1", "paddlenlp==2.8.1", "huggingface-hub<1", "datasets<4", "aistudio-sdk<0.3")
#: Written last, when all is installed and has computed what it should.
MARKER = "paddle2torch-reference.json"


def interpreters(environment: Path) -> Iterator[Path]:
    """Where a virtual environment may have its Python."""
    yield environment / "bin" / "python"
    yield environment / "Scripts" / "python.exe"


def is_whole(environment: Path, pins: Sequence[str] = PINS) -> bool:
    """Whether this environment was made to its end, with these pins, and its Python is still there."""
    marker = read_json(environment / MARKER)
    if marker is None or marker.get("pins") != list(pins):
        return False
    return any(path.is_file() for path in interpreters(environment))
