"""Text of unknown origin made harmless: OUTPUT's files decide what stands in a report's problems and examples."""

from __future__ import annotations

import html
import re
import unicodedata

#: What turns the direction of the text after it, and could make a line read otherwise than it is.
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NOT_IN_XML = frozenset("\ufffe\uffff")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~:@&!$()])")


def clean(text: object) -> str:
    """The text with each character that cannot be seen, or that XML forbids, as its escape: \\u202e."""
    return "".join(_shown(character) for character in str(text))


def _shown(character: str) -> str:
    if character in "\n\t":
        return character
    hidden = unicodedata.category(character) in ("Cc", "Cs", "Co", "Cn")
    if hidden or character in _TURNING or character in _NOT_IN_XML:
        number = ord(character)
        return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
    return character


def to_html(text: object) -> str:
    """Cleaned, and without a meaning in HTML and XML, in text and in quoted attributes."""
    return html.escape(clean(text), quote=True)


def to_markdown(text: object) -> str:
    """Cleaned, on one line, and without a meaning in Markdown or in GitHub's additions to it."""
    line = " ".join(clean(text).split())
    return _MARKDOWN.sub(r"\\\1", line).replace("www.", "www\\.")


def to_number(value: object) -> str:
    """A measured number with two digits; a dash for none."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return "0" if value == 0 else f"{value:.1e}"
    return clean(value)
