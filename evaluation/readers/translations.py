"""Sentences and their English translations: Tatoeba in LASER's form and in XTREME's.

LASER: `tatoeba.deu-eng.deu` and `.eng`, line i translates line i. XTREME: `de-en.de`, and `de-en.en` sorted, so that
line numbers give nothing away; `test-de.tsv` or `de-en.labels` beside them has for each English line the number of its
translation, counted from 0. Both are given in the order of the foreign file, which is the order of the candidates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from evaluation.examples import Translation
from evaluation.readers.languages import two_letters
from evaluation.readers.lines import read_lines, wrong_form, wrong_line
from evaluation.readers.notes import Notes

#: Any name of two files that belong together: a beginning, a pair of languages with English, one of the two.
_NAME = re.compile(r"(?:(.*)\.)?([a-z]{2,3})-(en|eng)\.\2")
LASER, XTREME = "LASER's: line i translates line i", "XTREME's: the English side sorted, with labels"


@dataclass(frozen=True)
class TranslationFiles:
    """Two files that belong together. `labels` has the order of the English side where it is another."""

    path: Path
    english: Path
    language: str
    labels: Path | None
    notes: Notes = field(default_factory=Notes)

    @property
    def form(self) -> str:
        return LASER if self.labels is None else XTREME

    def examples(self) -> Iterator[Translation]:
        """Give the pairs in the order of the foreign file. Raises DataError for files that do not fit together."""
        english = self._english()
        number = 0
        for number, line in read_lines(self.path):
            self._check(self.path, number, line)
            if number > len(english):
                continue
            place = f"{self.path.name}:{number}"
            yield Translation(self.language, place, line, english[number - 1])
        if number != len(english):
            reason = f"{number} lines, but {self.english.name} has {len(english)}: which line translates which?"
            raise wrong_form(self.path.name, reason)

    def _english(self) -> list[str]:
        lines = [line for _, line in read_lines(self.english)]
        for number, line in enumerate(lines, 1):
            self._check(self.english, number, line)
        if self.labels is None:
            return lines
        order = _read_order(self.labels, len(lines))
        placed = [""] * len(lines)
        for line, place in zip(lines, order):
            placed[place] = line
        return placed

    def _check(self, path: Path, number: int, line: str) -> None:
        if not line.strip():
            raise wrong_line(path.name, number, "the sentence is empty")


def _read_order(path: Path, count: int) -> list[int]:
    """For each English line the number of its translation."""
    order = []
    for number, line in read_lines(path):
        if not re.fullmatch(r"\d{1,7}", line.strip()):
            raise wrong_line(path.name, number, f"{line!r:.40}, expected the number of a line, from 0")
        order.append(int(line))
    if sorted(order) != list(range(count)):
        raise wrong_form(path.name, f"expected each of 0 to {count - 1} once: {count} sentences have as many labels")
    return order


def is_foreign_side(name: str) -> bool:
    """Whether a file's name is that of the foreign side of a pair with English."""
    return _NAME.fullmatch(name) is not None


def open_translations(path: Path) -> TranslationFiles:
    """Open the foreign side (`tatoeba.deu-eng.deu`, `de-en.de`) and what belongs to it. Raises DataError when there is
    no English side, or when that is sorted and nothing has the order."""
    found = _NAME.fullmatch(path.name)
    if found is None:
        reason = "its name is not that of a pair with English: expected tatoeba.deu-eng.deu or de-en.de"
        raise wrong_form(path.name, reason)
    english = path.with_suffix("." + found[3])
    if not english.is_file():
        raise wrong_form(path.name, f"there is no {english.name} beside it")
    language = two_letters(found[2])
    labels = [path.with_name(f"test-{language}.tsv"), path.with_suffix(".labels")]
    present = [file for file in labels if file.is_file()]
    if len(present) > 1:
        raise wrong_form(path.name, f"{present[0].name} and {present[1].name} are both labels. Which is right?")
    is_sorted = _is_sorted(english)
    opened = TranslationFiles(path, english, language, present[0] if present else None)
    if is_sorted and not present and found[3] == "en":
        reason = f"is sorted, as in XTREME's form, and no {' or '.join(file.name for file in labels)} has the order"
        raise wrong_form(english.name, reason)
    if is_sorted and not present:
        noticed = "the English side is sorted, in files with LASER's names: line i is read with line i"
        opened.notes.count(noticed, english.name)
    if present and not is_sorted:
        reason = f"labels in {present[0].name}, as in XTREME's form, but the English side is not sorted, as in LASER's"
        raise wrong_form(path.name, reason)
    return opened


def _is_sorted(path: Path) -> bool:
    """Whether the lines are in order; two or fewer say nothing."""
    lines = [line for _, line in read_lines(path)]
    return len(lines) > 2 and lines == sorted(lines)
