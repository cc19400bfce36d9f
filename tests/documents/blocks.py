"""The fenced blocks of a document, and what to do with each.

    ```sh       commands, run as they stand
    ```python   run as they stand
    ```text     what a command printed, a picture, a layout: shown, not run

`<!-- before: COMMAND -->` runs first and is not shown to the reader; `<!-- not run: REASON -->` in front of a block
leaves it out; `<!-- prints: PATTERN -->` is a regular expression that is found in what the block prints, and
`<!-- ends with: CODE -->` its exit code where that is not 0. `<!-- printed: numbers aside -->` stands in front of a
text block that shows what the block before it prints, `...` in place of lines that are left out. Every fence names its
language, so that no command escapes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

RUN = ("sh", "python")
SHOWN = ("text", "json", "yaml", "toml", "mermaid")
_FENCE = re.compile(
    r"^<!-- (?P<kind>before|not run|prints|ends with|printed): (?P<said>.+?) -->$"
    r"|^(?P<indent> *)```(?P<language>\w*)\n(?P<body>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """One piece of a document that is run: where it starts, in which language, what, what it prints (a pattern, and the
    text that the document shows), and its exit code."""

    line: int
    language: str
    body: str
    prints: str = ""
    code: int = 0
    printed: str = ""


def read_blocks(path: Path) -> list[Block]:
    """What a document asks to be run, in order. Raises ValueError for a fence without a known language, and for output
    without a command that printed it."""
    text = path.read_text(encoding="utf-8")
    blocks: list[Block] = []
    notes: dict[str, str] = {}
    for match in _FENCE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        if match["kind"] == "before":
            blocks.append(Block(line, "sh", match["said"]))
            continue
        if match["kind"]:
            notes[match["kind"]] = match["said"]
            continue
        if match["language"] not in RUN + SHOWN:
            raise ValueError(f"{path.name}, line {line}: the language is {match['language']!r}, expected {RUN + SHOWN}")
        if "printed" in notes:
            if not blocks or match["language"] != "text":
                raise ValueError(f"{path.name}, line {line}: output needs a text block, and a command before it")
            blocks[-1] = replace(blocks[-1], printed=match["body"])
        if match["language"] in RUN and "not run" not in notes:
            code = int(notes.get("ends with", 0))
            blocks.append(Block(line, match["language"], match["body"], notes.get("prints", ""), code))
        notes = {}
    return blocks


def prints(shown: str, output: str) -> bool:
    """Whether a program that printed `output` prints what a document shows: the same lines but for numbers, units of
    bytes and widths of columns, and for any lines where the document has `...`."""
    pattern = "".join(
        r"(?:.*\n)*" if line == "..." else re.escape(line) + r"\n" for line in _without_numbers(shown).splitlines()
    )
    return re.search(rf"^{pattern}", _without_numbers(output), re.MULTILINE) is not None


def _without_numbers(text: str) -> str:
    text = re.sub(r"\d[\d,]*(?:\.\d+)?(?:e[-+]\d+)?", "#", text)
    text = re.sub(r"# [kMG]?(?:B|bytes)\b", "# bytes", text)
    return "".join(f"{' '.join(line.split())}\n" for line in text.splitlines())
