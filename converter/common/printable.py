"""Make text of unknown origin safe to print on a terminal, in a log or on a page.

A label, a tensor's name or a file's name can contain escape sequences, marks that change the direction of a line, line
breaks, commands for a CI runner, or a megabyte of text.
"""

from __future__ import annotations

import re
import struct
import unicodedata

from converter.common.redaction import redact

#: Longest message: messages hold several names, each of which is cut already.
MESSAGE = 4000
_ELLIPSIS = "..."
#: Invisible characters that count as letters, marks or symbols (Default_Ignorable_Code_Point of
#: Unicode, and the empty braille cell).
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_MOST_MARKS = 3
#: GitHub's, Azure's and TeamCity's runners find these anywhere in a line, and `::` at its beginning.
_COMMAND = re.compile(r"##(?=[A-Za-z]*\[)")
_COMMAND_AT_START = re.compile(r"(\s*):(?=:)")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~:@&!$()])")


def printable(text: str, limit: int = 200) -> str:
    """One line of at most `limit` visible characters, without passwords in addresses and without commands for a CI
    runner."""
    text = redact(text)
    cut = len(text) > limit
    line = visible(text[:limit] if cut else text)
    line = _COMMAND_AT_START.sub(r"\1\\u003a", line, count=1) if line.lstrip().startswith("::") else line
    line = _COMMAND.sub(r"#\\u0023", line)
    if len(line) > limit or cut:
        line = line[: max(0, limit - len(_ELLIPSIS))] + _ELLIPSIS
    return line


def counted(number: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def sized(size: int) -> str:
    """A number of bytes as people read it."""
    if size >= 1e9:
        return f"{size / 1e9:,.2f} GB"
    return f"{size / 1e6:,.1f} MB" if size >= 100_000 else f"{size:,} bytes"


def readable(value: object) -> str:
    """A value of a config for people. Paddle's epsilon is the float32 nearest to 1e-05, which as a float64 has other
    digits: `1e-05 (as float32)`."""
    if type(value) is float:
        short = float(f"{value:.6g}")
        if short != value and abs(value) < 1e38 and struct.unpack("f", struct.pack("f", short))[0] == value:
            return f"{short} (as float32)"
    return str(value)


def printable_message(text: str) -> str:
    """A message of this tool, which may have several lines: further lines are indented."""
    return "\n  ".join(printable(line, MESSAGE) for line in text.split("\n"))


def visible(text: str, keep: str = "") -> str:
    """The text with every invisible or direction-changing character as its escape sequence."""
    if text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        hidden = not character.isprintable() or marks > _MOST_MARKS or _INVISIBLE.match(character)
        shown.append(escaped(character) if hidden and character not in keep else character)
    return "".join(shown)


def escaped(character: str) -> str:
    """The escape sequence that JSON and Python use: \\u001b, \\u202e, \\U000e0001."""
    named = {"\n": "\\n", "\t": "\\t"}.get(character)
    number = ord(character)
    return named or (f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}")


def to_markdown(text: str, limit: int = 200) -> str:
    """One printable line, escaped for Markdown (GitHub's dialect) and HTML."""
    return _MARKDOWN.sub(r"\\\1", printable(text, limit)).replace("www.", "www\\.")


def to_code_span(text: str) -> str:
    """One printable line as a Markdown code span that may stand in a table."""
    line = printable(text, 255).replace("|", "\\|")
    if "`" not in line:
        return f"`{line}`"
    fence = "`" * (1 + max(map(len, re.findall("`+", line))))
    return f"{fence} {line} {fence}"
