"""Tables of report.html. Every cell is text of unknown origin and is escaped here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from verify.report.plain_text import to_html, to_number


@dataclass(frozen=True)
class Row:
    """The cells of one line, and whether it says that something is wrong."""

    cells: Sequence[object]
    wrong: bool = False


def render_table(
    names: Sequence[str],
    rows: Sequence[Row],
    numbers: Sequence[int] = (),
    short: Sequence[int] = (),
    *,
    mono: bool = False,
) -> str:
    """A table; columns in `numbers` are set to the right, those in `short` stay on one line."""
    kinds = {**dict.fromkeys(short, ' class="short"'), **dict.fromkeys(numbers, ' class="number"')}
    head = "".join(f"<th{kinds.get(column, '')}>{to_html(name)}</th>" for column, name in enumerate(names))
    lines = []
    for row in rows:
        cells = [f"<td{kinds.get(column, '')}>{to_html(cell)}</td>" for column, cell in enumerate(row.cells)]
        lines.append(f"{_line(row.wrong)}{''.join(cells)}</tr>")
    return _frame(head, lines, mono)


def render_rows(entries: Sequence[Mapping[str, Any]], numbers: Sequence[str] = ()) -> str:
    """A table of like entries with a column for each key, those in `numbers` set to the right; a `coverage` or `share`
    from 0 to 1 is a bar."""
    names = list(dict.fromkeys(name for entry in entries for name in entry))
    kinds = dict.fromkeys(numbers, ' class="number"')
    head = "".join(f"<th{kinds.get(name, '')}>{to_html(name.replace('_', ' '))}</th>" for name in names)
    lines = []
    for entry in entries:
        cells = "".join(_cell(name, entry.get(name), kinds.get(name, "")) for name in names)
        lines.append(f"{_line(entry.get('passed') is False)}{cells}</tr>")
    return _frame(head, lines)


def _frame(head: str, lines: Sequence[str], mono: bool = False) -> str:
    """The whole table, in a box that scrolls where the screen is narrower than it."""
    above = f"<thead><tr>{head}</tr></thead>" if head else ""
    table = '<table class="mono">' if mono else "<table>"
    return f'<div class="scroll">{table}{above}<tbody>{"".join(lines)}</tbody></table></div>'


def _line(wrong: bool) -> str:
    return '<tr class="wrong">' if wrong else "<tr>"


def _cell(name: str, value: object, kind: str) -> str:
    if name in ("coverage", "share") and isinstance(value, (int, float)) and not isinstance(value, bool):
        share = min(max(float(value), 0.0), 1.0)
        # Rounded down: what is not quite all must not look like all.
        percent = int(share * 1000) / 10
        bar = f'<span class="bar"><span style="width:{percent}%"></span></span>'
        return f'<td class="short">{bar}{percent:g} %</td>'
    return f"<td{kind}>{to_html(to_number(value))}</td>"
