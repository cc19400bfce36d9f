"""Sentences with a tag for each word: the files of CoNLL-2002 and CoNLL-2003, and Baidu's form of them.

CoNLL: a word a line, columns separated by spaces (or tabs), the tag in the last; a blank line, or one that begins with
-DOCSTART-, ends a sentence. Tags of CoNLL-2002 are IOB2, those of the original CoNLL-2003 are IOB1: examples are
given in IOB2. Baidu's: a header `text_a` TAB `label`, words and tags joined by \\x02.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from evaluation.examples import TaggedSentence
from evaluation.readers.languages import language_of_path
from evaluation.readers.lines import read_lines, wrong_form, wrong_line
from evaluation.readers.notes import Notes
from evaluation.scorers.spans import to_iob2

_TAG = re.compile(r"O|[BI]-\S+")
_OTHER_SCHEME = re.compile(r"[ESLU]-\S+")
_DOCUMENT = "-DOCSTART-"
_JOINED = "\x02"


@dataclass(frozen=True)
class TaggedFile:
    """A file of tagged sentences whose form is known."""

    path: Path
    form: str
    joined: bool
    notes: Notes = field(default_factory=Notes)

    def examples(self) -> Iterator[TaggedSentence]:
        """Read the file, one sentence at a time. Raises DataError with the line that is wrong."""
        language = language_of_path(self.path)
        for number, words, tags in _joined(self.path) if self.joined else _columns(self.path):
            place = f"{self.path.name}:{number}"
            yield TaggedSentence(language, place, tuple(words), tuple(to_iob2(tags)))


def open_tagged(path: Path) -> TaggedFile:
    """Recognise the form of a file by its first lines. Raises DataError when it has none."""
    for number, line in read_lines(path):
        if number == 1 and line.split("\t") == ["text_a", "label"]:
            return TaggedFile(path, "Baidu's: words and tags joined by \\x02", joined=True)
        if not line.strip(" \t") or line.startswith(_DOCUMENT):
            continue
        columns = _split(line)
        if len(columns) >= 2 and (_TAG.fullmatch(columns[-1]) or _OTHER_SCHEME.fullmatch(columns[-1])):
            return TaggedFile(path, f"CoNLL's: a word a line, the tag in the last of {len(columns)} columns", False)
        reason = f"line {number} does not end with a tag (O, B-TYPE or I-TYPE), and is no header `text_a` TAB `label`"
        raise wrong_form(path.name, reason)
    raise wrong_form(path.name, "holds no sentence")


def _split(line: str) -> list[str]:
    """Columns: words hold no-break spaces, so only spaces and tabs separate."""
    return line.split("\t") if "\t" in line else [column for column in line.split(" ") if column]


def _columns(path: Path) -> Iterator[tuple[int, list[str], list[str]]]:
    words: list[str] = []
    tags: list[str] = []
    first = count = 0
    for number, line in read_lines(path):
        if not line.strip(" \t") or line.startswith(_DOCUMENT):
            if words:
                yield first, words, tags
            words, tags = [], []
            continue
        columns = _split(line)
        count = count or len(columns)
        if len(columns) != count:
            raise wrong_line(path.name, number, f"{len(columns)} columns, expected {count} as in the lines before")
        if not columns[0]:
            raise wrong_line(path.name, number, "the word is empty")
        first = first if words else number
        words.append(columns[0])
        tags.append(_checked(path.name, number, columns[-1]))
    if words:
        yield first, words, tags


def _joined(path: Path) -> Iterator[tuple[int, list[str], list[str]]]:
    for number, line in read_lines(path):
        if number == 1 or not line:
            continue
        columns = line.split("\t")
        if len(columns) != 2:
            raise wrong_line(path.name, number, f"{len(columns)} columns, expected 2: words and tags")
        words, tags = (column.split(_JOINED) for column in columns)
        if len(words) != len(tags):
            raise wrong_line(path.name, number, f"{len(words)} words and {len(tags)} tags")
        if "" in words:
            raise wrong_line(path.name, number, f"word {words.index('') + 1} is empty")
        yield number, words, [_checked(path.name, number, tag) for tag in tags]


def _checked(file: str, number: int, tag: str) -> str:
    if _TAG.fullmatch(tag):
        return tag
    advice = ". Tags that begin with E-, S-, L- or U- are another scheme: convert them to IOB2"
    other = advice if _OTHER_SCHEME.fullmatch(tag) else ""
    raise wrong_line(file, number, f"the tag is {tag!r:.40}, expected O, B-TYPE or I-TYPE{other}")
