"""Text of unknown origin made harmless: OUTPUT's files decide what stands in a report's problems and examples."""

from __future__ import annotations

import html

from converter.common.printable import MESSAGE, visible
from converter.common.printable import to_markdown as to_one_line_of_markdown
from converter.common.redaction import redact


def clean(text: object) -> str:
    """The text with each character that cannot be seen, or that XML forbids, as its escape: \\u202e."""
    return visible(redact(str(text)), keep="\n\t")


def to_html(text: object) -> str:
    """Cleaned, and without a meaning in HTML and XML, in text and in quoted attributes."""
    return html.escape(clean(text), quote=True)


def to_markdown(text: object) -> str:
    """Cleaned, on one line, and without a meaning in Markdown or in GitHub's additions to it."""
    return to_one_line_of_markdown(" ".join(clean(text).split()), MESSAGE)


def to_number(value: object) -> str:
    """A measured number with two digits; a dash for none."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return "0" if value == 0 else f"{value:.1e}"
    return clean(value)
