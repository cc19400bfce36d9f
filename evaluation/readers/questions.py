"""Questions about contexts in SQuAD's JSON form, as SQuAD 1.1, MLQA, XQuAD and XTREME have it; Baidu's copies add a
`lang` at the top. Scored are answers alone, so an offset that does not fit is noticed and read all the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from converter.common.errors import DataError, Problem, about
from converter.files.json_files import parse_json
from converter.files.regular_files import read_file
from evaluation.examples import Question
from evaluation.readers.languages import language_of_path, two_letters
from evaluation.readers.lines import wrong_form
from evaluation.readers.notes import Notes

#: MLQA's largest file has 16 MB.
MOST_BYTES = 1 << 28
_MLQA = re.compile(r"context-([a-z]{2})-question-([a-z]{2})")


@dataclass(frozen=True)
class QuestionFile:
    """A file of questions."""

    path: Path
    form: str
    content: dict[str, Any]
    notes: Notes = field(default_factory=Notes)

    def examples(self) -> Iterator[Question]:
        """Give the questions in the file's order. Raises DataError with the place that is wrong."""
        language = self._language()
        seen: set[str] = set()
        for place, context, entry in self._entries():
            question = self._question(place, language, context, entry)
            if question.name in seen:
                raise self._wrong(place, f"the id {question.name!r:.60} is there twice")
            seen.add(question.name)
            yield question

    def _language(self) -> str:
        """The file's own word for it, else its name's: MLQA's rules are those of the context's language."""
        named = _MLQA.search(self.path.name)
        lang = self.content.get("lang")
        if isinstance(lang, str) and lang:
            return two_letters(lang)
        return two_letters(named[1]) if named else language_of_path(self.path)

    def _entries(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for a, article in enumerate(self._list(self.content, "data", "")):
            for p, paragraph in enumerate(self._list(article, "paragraphs", f"data[{a}]")):
                place = f"data[{a}].paragraphs[{p}]"
                context = self._text(paragraph, "context", place)
                for q, entry in enumerate(self._list(paragraph, "qas", place)):
                    yield f"{place}.qas[{q}]", context, entry

    def _question(self, place: str, language: str, context: str, entry: dict[str, Any]) -> Question:
        name = entry.get("id") if isinstance(entry, dict) else None
        if type(name) is int:
            name = str(name)
        if not isinstance(name, str):
            raise self._wrong(place, f"the id is {name!r:.60}, expected a text")
        answers = self._list(entry, "answers", place)
        if not answers or entry.get("is_impossible") is True:
            raise self._wrong(place, "has no answer: unanswerable questions (SQuAD 2.0) have another metric")
        texts = []
        for number, answer in enumerate(answers):
            where = f"{place}.answers[{number}]"
            text = self._text(answer, "text", where)
            start = answer.get("answer_start")
            if type(start) is not int or context[start : start + len(text)] != text:
                self.notes.count("the context does not have the answer at answer_start", f"{self.path.name}, {where}")
            texts.append(text)
        question = self._text(entry, "question", place)
        return Question(language, f"{self.path.name}, {place}", name, question, context, tuple(texts))

    def _list(self, table: Any, key: str, place: str) -> list[Any]:
        found = table.get(key) if isinstance(table, dict) else None
        if not isinstance(found, list):
            raise self._wrong(place or "the top", f"{key} is {found!r:.60}, expected a list")
        return found

    def _text(self, table: Any, key: str, place: str) -> str:
        found = table.get(key) if isinstance(table, dict) else None
        if not isinstance(found, str) or not found.strip():
            raise self._wrong(place, f"{key} is {found!r:.60}, expected a text")
        return found

    def _wrong(self, place: str, reason: str) -> DataError:
        return DataError(Problem("E903", about(f"{self.path.name}, {place}", reason)))


def is_across(name: str) -> bool:
    """Whether a file of MLQA asks in another language than that of the context."""
    found = _MLQA.search(name)
    return found is not None and found[1] != found[2]


def open_questions(path: Path) -> QuestionFile:
    """Open a file in SQuAD's form. Raises FileError for what is not JSON, DataError for another form."""
    content, warnings = parse_json(read_file(path, MOST_BYTES), path.name)
    if not isinstance(content.get("data"), list):
        raise wrong_form(path.name, "has no list `data` at the top, expected SQuAD's form: data, paragraphs, qas")
    form = "SQuAD's, with `lang` (Baidu's)" if "lang" in content else "SQuAD's"
    opened = QuestionFile(path, form, content)
    for warning in warnings:
        opened.notes.count(warning, path.name)
    return opened
