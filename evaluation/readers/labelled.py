"""Labelled texts and pairs of texts: XNLI, PAWS-X, and any file of the same forms.

| form | recognised by |
| --- | --- |
| XNLI-1.0, XNLI-MT, PAWS-X, Baidu's: tabs, no quoting | a header with tabs and names of `columns.py` |
| CSV | a header with commas and such names; quoted as `csv.writer` does |
| JSON lines | a first line that is an object with such keys |
| XTREME: tabs, quoted, no header | none of these, and three columns: text, text, label |
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Callable

from converter.common.errors import DataError
from evaluation.examples import LabelledText
from evaluation.readers.columns import Columns, known_columns
from evaluation.readers.languages import language_of_path, two_letters
from evaluation.readers.lines import read_lines, wrong_form, wrong_line
from evaluation.readers.notes import Notes
from evaluation.readers.separated import split_plain, split_quoted

Lines = Iterable[tuple[int, str]]
#: A function from a file, its lines (the first one included) and notes to its rows as tables.
_Rows = Callable[[str, Lines, Notes], Iterator[tuple[int, dict[str, str]]]]
#: The label of XNLI and MultiNLI for examples on which the annotators did not agree.
NO_MAJORITY = "-"
#: The text that stands for a translation that is missing in PAWS-X.
MISSING_TRANSLATION = "NS"
_XTREME = Columns("sentence1", "sentence2", "label", None, "XTREME's: tabs, quoted, without a header")


@dataclass(frozen=True)
class LabelledFile:
    """A file of labelled texts whose form is known."""

    path: Path
    form: str
    columns: Columns
    rows: _Rows
    notes: Notes = field(default_factory=Notes)

    def examples(self) -> Iterator[LabelledText]:
        """Read the file, one example at a time. Raises DataError with the line that is wrong."""
        usual = language_of_path(self.path)
        for number, row in self.rows(self.path.name, read_lines(self.path), self.notes):
            example = self._example(number, row, usual)
            if example is not None:
                yield example

    def _example(self, number: int, row: dict[str, str], usual: str) -> LabelledText | None:
        columns, place = self.columns, f"{self.path.name}:{number}"
        first, label = row[columns.first], row[columns.label]
        second = row[columns.second] if columns.second else None
        if label == NO_MAJORITY and columns.label == "gold_label":
            self.notes.count("gold_label is `-` (no majority), left out", place)
            return None
        if not label:
            raise wrong_line(self.path.name, number, "the label is empty")
        if not first.strip() and not (second or "").strip():
            raise wrong_line(self.path.name, number, "the text is empty")
        if MISSING_TRANSLATION in (first, second):
            self.notes.count("a text is `NS`, PAWS-X's mark of a missing translation, and is read as it is", place)
        language = two_letters(row[columns.language]) if columns.language else usual
        return LabelledText(language, place, first, second, label)


def open_labelled(path: Path) -> LabelledFile:
    """Recognise the form of a file by its first line. Raises DataError when it has none, or two."""
    file, (_, line) = path.name, next(iter(read_lines(path)))
    if line.startswith("{"):
        return _open_json_lines(path, line)
    by_tab = known_columns(line.split("\t"), file) if "\t" in line or "," not in line else None
    by_comma = known_columns(_header(file, line), file) if "," in line else None
    if by_tab and by_comma:
        raise wrong_form(file, "its header can be read with tabs and with commas. Leave one out")
    if by_tab:
        if "\x02" in _second_line(path):
            raise wrong_form(file, "holds tokens joined by \\x02 (Baidu's form of NER): evaluate it with --task ner")
        return LabelledFile(path, f"TSV with {by_tab.form}, without quoting", by_tab, _plain_rows)
    if by_comma:
        return LabelledFile(path, f"CSV with {by_comma.form}", by_comma, _comma_rows)
    return _open_without_header(path)


def _header(file: str, line: str) -> list[str]:
    """The names in a header with commas; none where the line is no such row: XTREME's first text may have quotes."""
    try:
        return next(split_quoted(file, [(1, line)], ","))[1]
    except DataError:
        return []


def _second_line(path: Path) -> str:
    lines = iter(read_lines(path))
    next(lines)
    return next(lines, (0, ""))[1]


def _open_json_lines(path: Path, line: str) -> LabelledFile:
    columns = known_columns(_object(path.name, 1, line), path.name)
    if columns is None:
        raise wrong_form(path.name, f"JSON lines without the key of a text. {_NAMES}")
    return LabelledFile(path, f"JSON lines with {columns.form}", columns, partial(_json_rows, columns))


_NAMES = "Name the columns text and label, or sentence1, sentence2 and label"


def _open_without_header(path: Path) -> LabelledFile:
    count = len(next(split_quoted(path.name, read_lines(path), "\t"))[1])
    if count == 3:
        return LabelledFile(path, _XTREME.form, _XTREME, _xtreme_rows)
    if count == 2:
        reason = "two columns and no header: a text and its label, or a pair without labels (XTREME's test)?"
        raise wrong_form(path.name, f"{reason} A header, `text` TAB `label`, makes it the first")
    raise wrong_form(path.name, f"its first line has {count} columns, and no names that are known. {_NAMES}")


def _plain_rows(file: str, lines: Lines, notes: Notes) -> Iterator[tuple[int, dict[str, str]]]:
    rows = split_plain(lines)
    _, names = next(rows)
    for number, row in rows:
        if row == [""]:
            continue
        if any(len(text) > 1 and text[0] == text[-1] == '"' for text in row):
            notes.count('a column begins and ends with `"`, which is read as a part of the text', f"{file}:{number}")
        yield number, _as_table(file, number, names, row)


def _comma_rows(file: str, lines: Lines, notes: Notes) -> Iterator[tuple[int, dict[str, str]]]:
    rows = split_quoted(file, lines, ",")
    _, names = next(rows)
    for number, row in rows:
        if row != [""]:
            yield number, _as_table(file, number, names, row)


def _xtreme_rows(file: str, lines: Lines, notes: Notes) -> Iterator[tuple[int, dict[str, str]]]:
    for number, row in split_quoted(file, lines, "\t"):
        if row != [""]:
            yield number, _as_table(file, number, ["sentence1", "sentence2", "label"], row)


def _as_table(file: str, number: int, names: list[str], row: list[str]) -> dict[str, str]:
    if len(row) != len(names):
        raise wrong_line(file, number, f"{len(row)} columns, expected {len(names)} ({', '.join(names[:8])})")
    return dict(zip(names, row))


def _json_rows(columns: Columns, file: str, lines: Lines, notes: Notes) -> Iterator[tuple[int, dict[str, str]]]:
    wanted = [name for name in (columns.first, columns.second, columns.label, columns.language) if name]
    for number, line in lines:
        if not line.strip():
            continue
        found = _object(file, number, line)
        for name in wanted:
            value = found.get(name)
            if name == columns.label and type(value) is int:
                found[name] = str(value)
            elif not isinstance(value, str):
                raise wrong_line(file, number, f"{name} is {value!r:.60}, expected a text")
        yield number, {name: found[name] for name in wanted}


def _object(file: str, number: int, line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise wrong_line(file, number, f"not JSON: {error}") from None
    if not isinstance(value, dict):
        raise wrong_line(file, number, "not a JSON object")
    return value
