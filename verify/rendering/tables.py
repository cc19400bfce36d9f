"""Tables of report.html. Every cell is text of unknown origin and is escaped here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from verify.rendering.plain_text import to_html, to_number


@dataclass(frozen=True)
class Row:
    """The cells of one line, and whether it says that something is wrong."""

    cells: Sequence[object]
    wrong: bool = False


def render_table(names: Sequence[str], rows: Sequence[Row], numbers: Sequence[int] = (), *, mono: bool = False) -> str:
    """A table; columns in `numbers` are set to the right."""
    kinds = {column: ' class="number"' for column in numbers}
    head = "".join(f"<th{kinds.get(column, '')}>{to_html(name)}</th>" for column, name in enumerate(names))
    lines = []
    for row in rows:
        cells = [f"<td{kinds.get(column, '')}>{to_html(cell)}</td>" for column, cell in enumerate(row.cells)]
        lines.append(f"{_line(row.wrong)}{''.join(cells)}</tr>")
    above = f"<thead><tr>{head}</tr></thead>" if head else ""
    table = '<table class="mono">' if mono else "<table>"
    return f"{table}{above}<tbody>{''.join(lines)}</tbody></table>"


def render_rows(entries: Sequence[Mapping[str, Any]]) -> str:
    """A table of like entries with a column for each key; a `coverage` or `share` from 0 to 1 is a bar."""
    names = list(dict.fromkeys(name for entry in entries for name in entry))
    head = "".join(f"<th>{to_html(name.replace('_', ' '))}</th>" for name in names)
    lines = []
    for entry in entries:
        cells = "".join(f"<td>{_cell(name, entry.get(name))}</td>" for name in names)
        lines.append(f"{_line(entry.get('passed') is False)}{cells}</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _line(wrong: bool) -> str:
    return '<tr class="wrong">' if wrong else "<tr>"


def _cell(name: str, value: object) -> str:
    if name in ("coverage", "share") and isinstance(value, (int, float)) and not isinstance(value, bool):
        share = min(max(float(value), 0.0), 1.0)
        # Rounded down: what is not quite all must not look like all.
        percent = int(share * 1000) / 10
        return f'<span class="bar"><span style="width:{percent}%"></span></span>{percent:g} %'
    return to_html(to_number(value))
