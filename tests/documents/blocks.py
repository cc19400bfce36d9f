"""The fenced blocks of a document, and what to do with each.

    ```sh       commands, run as they stand
    ```python   run as they stand
    ```text     what a command printed, a picture, a layout: shown, not run

`<!-- before: COMMAND -->` runs first and is not shown to the reader; `<!-- not run: REASON -->` in front of a block
leaves it out; `<!-- prints: PATTERN -->` is a regular expression that is found in what the block prints. Every fence
says its language, so that no command escapes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

RUN = ("sh", "python")
SHOWN = ("text", "json", "yaml", "toml", "mermaid")
_FENCE = re.compile(
    r"^<!-- (?P<kind>before|not run|prints): (?P<said>.+?) -->$"
    r"|^(?P<indent> *)```(?P<language>\w*)\n(?P<body>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """One piece of a document that is run: where it starts, in which language, what, and what it prints."""

    line: int
    language: str
    body: str
    prints: str = ""


def read_blocks(path: Path) -> list[Block]:
    """What a document asks to be run, in order. Raises ValueError for a fence that says no known language."""
    text = path.read_text(encoding="utf-8")
    blocks, skip, prints = [], False, ""
    for match in _FENCE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        if match["kind"] == "before":
            blocks.append(Block(line, "sh", match["said"]))
            continue
        if match["kind"] == "not run":
            skip = True
            continue
        if match["kind"] == "prints":
            prints = match["said"]
            continue
        if match["language"] not in RUN + SHOWN:
            raise ValueError(f"{path.name}, line {line}: the block says {match['language']!r}, expected {RUN + SHOWN}")
        if match["language"] in RUN and not skip:
            blocks.append(Block(line, match["language"], match["body"], prints))
        skip, prints = False, ""
    return blocks
