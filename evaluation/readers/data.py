"""DATA, the file or folder that the user names: which files are read, in which form, and their examples."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from converter.common.errors import DataError, Problem
from evaluation.examples import UNDETERMINED, LabelledText, Question, TaggedSentence, Translation
from evaluation.readers.labelled import open_labelled
from evaluation.readers.languages import language_of_path
from evaluation.readers.lines import wrong_form
from evaluation.readers.notes import Notes
from evaluation.readers.questions import is_across, open_questions
from evaluation.readers.tagged import open_tagged
from evaluation.readers.translations import is_foreign_side, open_translations

Example = TypeVar("Example", LabelledText, TaggedSentence, Question, Translation)
Covariant = TypeVar("Covariant", LabelledText, TaggedSentence, Question, Translation, covariant=True)
#: What the files of a folder are called: those of tagged sentences have any ending (esp.testb).
_TEXTS, _QUESTIONS = re.compile(r"(?i).*\.(tsv|csv|jsonl)"), re.compile(r"(?i).*\.json")
_SENTENCES = re.compile(r"(?i)(?!readme|licen[cs]e|\.)(?!.*\.(md|py|sh|zip|gz|json)$).*")
#: A test part by a word of its name or its folder's; CoNLL's testa is the development part.
_TEST = re.compile(r"(?i)(^|[^a-z])testb?([^a-z]|$)")


class OpenFile(Protocol[Covariant]):
    """What each reader gives for one file."""

    @property
    def path(self) -> Path: ...
    @property
    def form(self) -> str: ...
    @property
    def notes(self) -> Notes: ...
    def examples(self) -> Iterator[Covariant]: ...


@dataclass(frozen=True)
class Data(Generic[Example]):
    """The files of DATA. `languages`: those that were asked for; empty takes all."""

    files: tuple[OpenFile[Example], ...]
    languages: tuple[str, ...]
    #: First examples of each language that are taken; None takes all.
    limit: int | None = None

    @property
    def form(self) -> str:
        """How the files were read, for the report."""
        return "; ".join(dict.fromkeys(file.form for file in self.files))

    def examples(self) -> Iterator[Example]:
        """Every example of the languages asked for, file by file. Raises DataError for what is wrong in a file, and
        when a language has no example."""
        counts = dict.fromkeys(self.languages, 0)
        for file in self.files:
            for example in file.examples():
                if example.language == UNDETERMINED and len(self.languages) == 1:
                    example = replace(example, language=self.languages[0])
                taken = counts.get(example.language, 0 if not self.languages else None)
                if taken is None or taken == self.limit:
                    continue
                counts[example.language] = taken + 1
                yield example
        missing = [language for language, count in counts.items() if not count]
        if missing or not counts:
            found = ", ".join(file.path.name for file in self.files[:8])
            raise DataError(Problem("E901", f"no examples of {', '.join(missing) or 'any language'} in {found}"))

    def warnings(self) -> list[str]:
        """What the readers noticed, once the examples have been read."""
        return [warning for file in self.files for warning in file.notes.warnings()]


def open_texts(path: Path, languages: Sequence[str] = (), limit: int | None = None) -> Data[LabelledText]:
    """Labelled texts or pairs. Raises DataError, FileError."""
    files = tuple(open_labelled(file) for file in _find(path, languages, _TEXTS, may_hold_many=True))
    return Data(files, tuple(languages), limit)


def open_sentences(path: Path, languages: Sequence[str] = (), limit: int | None = None) -> Data[TaggedSentence]:
    """Tagged sentences. Raises DataError, FileError."""
    files = tuple(open_tagged(file) for file in _find(path, languages, _SENTENCES))
    return Data(files, tuple(languages), limit)


def open_qa(path: Path, languages: Sequence[str] = (), limit: int | None = None) -> Data[Question]:
    """Questions; of MLQA's folder those whose question is in the language of the context, as in its tables. Raises
    DataError, FileError."""
    found = _find(path, languages, _QUESTIONS, may_hold_many=True)
    files = tuple(map(open_questions, found))
    return Data(files, tuple(languages), limit)


def open_retrieval(path: Path, languages: Sequence[str] = (), limit: int | None = None) -> Data[Translation]:
    """Translations. Raises DataError, FileError."""
    paths = [path] if path.is_file() else [file for file in _list(path) if is_foreign_side(file.name)]
    opened = [open_translations(file) for file in paths]
    files = [file for file in opened if not languages or file.language in languages]
    if not opened:
        raise _nothing(path, "pairs of files as tatoeba.deu-eng.deu with .eng, or de-en.de with .en")
    if len({file.form for file in files}) > 1:
        raise wrong_form(str(path), "holds files in LASER's form and in XTREME's. Name a folder with one of them")
    _refuse_twice(path, [(file.language, file.path) for file in files])
    return Data(tuple(files), tuple(languages), limit)


def _find(path: Path, languages: Sequence[str], called: re.Pattern[str], may_hold_many: bool = False) -> list[Path]:
    """The files of DATA: itself, those that its pattern fits, or a folder's, of which the test parts are taken where
    there are several parts."""
    if "*" in path.name and not path.exists():
        files = sorted(file for file in path.parent.glob(path.name) if file.is_file())
    else:
        fitting = [file for file in _list(path) if called.fullmatch(file.name)] if not path.is_file() else []
        files = [path] if path.is_file() else [file for file in fitting if not is_across(file.name)]
    if not files:
        raise _nothing(path, "a file, or a folder of files")
    named = [(language_of_path(file), file) for file in files]
    if languages and not (len(files) == 1 and (may_hold_many or named[0][0] == UNDETERMINED)):
        named = [(language, file) for language, file in named if language in languages]
    inside = len(path.as_posix()) if path.is_dir() else len(path.parent.as_posix())
    tests = [(language, file) for language, file in named if _TEST.search(file.as_posix()[inside:])]
    if len({language for language, _ in named}) < len(named) and tests:
        named = tests
    _refuse_twice(path, named)
    if not named:
        listed = ", ".join(file.name for file in files[:8])
        raise DataError(Problem("E901", f"{path}: no file of {', '.join(languages)} among {listed}"))
    return [file for _, file in named]


def _list(path: Path) -> list[Path]:
    """The files of a folder, or of the folders in it, one for each language."""
    if not path.is_dir():
        raise DataError(Problem("E901", f"{path}: there is no such file or folder"))
    inside = [path, *sorted(folder for folder in path.iterdir() if folder.is_dir())]
    return [file for folder in inside for file in sorted(folder.iterdir()) if file.is_file()]


def _refuse_twice(path: Path, named: Sequence[tuple[str, Path]]) -> None:
    seen: dict[str, Path] = {}
    for language, file in named:
        if language in seen:
            reason = f"{seen[language].name} and {file.name} are both of {language}. Name one, or a pattern (dev-*.tsv)"
            raise wrong_form(str(path), reason)
        seen[language] = file


def _nothing(path: Path, expected: str) -> DataError:
    return DataError(Problem("E901", f"{path}: expected {expected}, found none"))
