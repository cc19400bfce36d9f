"""Rows of files whose columns are separated by tabs or commas, with and without quotes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from evaluation.readers.lines import wrong_line

#: A quoted column may hold line feeds, but no column of a data set spans this many lines.
_MOST_LINES = 200


def split_quoted(file: str, lines: Iterable[tuple[int, str]], separator: str) -> Iterator[tuple[int, list[str]]]:
    """Rows as `csv.writer` writes them: a column with a quote, the separator or a line feed stands in quotes, and a
    quote inside is doubled. Anything else is refused: read with quotes, a file that was written without gives other
    texts."""
    waiting = iter(lines)
    for number, line in waiting:
        text, count = line, 1
        while text.count('"') % 2:
            following = next(waiting, None)
            if following is None or count == _MOST_LINES:
                raise wrong_line(file, number, f"a quote is opened and not closed. {_WITHOUT}")
            text, count = f"{text}\n{following[1]}", count + 1
        yield number, _columns(file, number, text, separator)


_WITHOUT = "Was it written without quoting? A header with the names of its columns, separated by tabs, says so"


def _columns(file: str, number: int, text: str, separator: str) -> list[str]:
    columns, place = [], 0
    while True:
        if text.startswith('"', place):
            end = _closing(text, place + 1)
            columns.append(text[place + 1 : end].replace('""', '"'))
            place = end + 1
            if place < len(text) and text[place] != separator:
                raise wrong_line(file, number, f"column {len(columns)}: text after the closing quote. {_WITHOUT}")
        else:
            end = text.find(separator, place)
            end = len(text) if end < 0 else end
            columns.append(text[place:end])
            if '"' in columns[-1]:
                raise wrong_line(file, number, f"column {len(columns)}: a quote inside, and none around it. {_WITHOUT}")
            place = end
        if place >= len(text):
            return columns
        place += 1


def _closing(text: str, place: int) -> int:
    """Where the quote that closes a column is: the first that is not doubled. The number of quotes is even."""
    while True:
        place = text.index('"', place)
        if not text.startswith('""', place):
            return place
        place += 2


def split_plain(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, list[str]]]:
    """Rows separated by tabs, in which a quote is a character like any other."""
    for number, line in lines:
        yield number, line.split("\t")
