"""Colours: only on a terminal that has them, and not where NO_COLOR is set (no-color.org)."""

from __future__ import annotations

import os
import re
from typing import Any

RED, GREEN, YELLOW, BOLD = "31;1", "32;1", "33", "1"

#: What is coloured in a line: a verdict or the kind of a message at its start, a result at its end.
_PARTS = (
    (re.compile(r"^error\[E\d{3}\]:"), RED),
    (re.compile(r"^warning:"), YELLOW),
    (re.compile(r"^PASSED(?=[:,] )"), GREEN),
    (re.compile(r"^FAILED(?=[:,] )"), RED),
    (re.compile(r"^NOT PROVEN(?=[:,] )"), YELLOW),
    (re.compile(r"\d+ FAILED$"), RED),
    (re.compile(r"(?<=  )ok$"), GREEN),
)


def has_colours(stream: Any) -> bool:
    """Whether a stream is a terminal that shows colours, and the user has not declined them."""
    if stream is None or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(stream.isatty())


def coloured(text: str, stream: Any) -> str:
    """The lines with their verdicts, errors, warnings and results in colour, if the stream has colours."""
    return "\n".join(map(_colour_line, text.split("\n"))) if has_colours(stream) else text


def _colour_line(line: str) -> str:
    for pattern, colour in _PARTS:
        line = pattern.sub(rf"\033[{colour}m\g<0>\033[0m", line, count=1)
    return line
