"""The files of OUTPUT to upload, with their checksums. Links are refused: one can lead anywhere."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from converter.common.errors import Problem, PushError
from converter.common.layout import REPORTS
from converter.hub.contents import LocalFile, read_local_file

CARD = "README.md"
REPORT, TRACE = f"{REPORTS}/report.json", f"{REPORTS}/trace.safetensors"
#: The files of the report's folder that are uploaded.
EVIDENCE = (REPORT, f"{REPORTS}/report.html", f"{REPORTS}/junit.xml", TRACE)
#: Where an evaluation of OUTPUT lies in it, or one for each task in a folder below.
EVALUATION = "evaluation"
_OF_EVALUATIONS = re.compile(rf"{EVALUATION}/([^/]+/)?(report\.json|report\.html|junit\.xml)")
#: In bytes. A larger trace is left out.
LARGEST_TRACE = 20_000_000
_MOST_FILES = 5000


@dataclass(frozen=True)
class Listing:
    """The files of OUTPUT, and the names that are left out, each with the reason."""

    files: tuple[LocalFile, ...]
    left_out: tuple[tuple[str, str], ...]

    def without(self, names: set[str]) -> tuple[LocalFile, ...]:
        return tuple(file for file in self.files if file.name not in names)

    def find(self, name: str) -> LocalFile | None:
        return next((file for file in self.files if file.name == name), None)


def is_of_evaluation(name: str) -> bool:
    """Whether a file is one that `paddle2torch evaluate --report OUTPUT/evaluation` writes."""
    return _OF_EVALUATIONS.fullmatch(name) is not None


def with_paths_of_evidence(problems: Iterable[Problem], output: Path) -> tuple[Problem, ...]:
    """The problems, with the path of the report or the trace that they name: for the user, and not for the card."""

    def place(text: str) -> str:
        name = next((name for name in (REPORT, TRACE) if name in text), "")
        path = str(output / name)
        return text if not name or path in text else text.replace(name, path, 1)

    return tuple(replace(problem, text=place(problem.text)) for problem in problems)


def list_files(output: Path, *, with_trace: bool = False) -> Listing:
    """Every file of OUTPUT, sorted by name; a large trace only `with_trace`.

    Raises PushError (E804), with a problem for each link and special file.
    """
    problems: list[Problem] = []
    left_out: list[tuple[str, str]] = []
    names: list[str] = []
    try:
        for name, entry in _walk(output, ""):
            kind = entry.stat(follow_symlinks=False).st_mode
            reason = "" if with_trace and name == TRACE else _find_exclusion(name, entry)
            if stat.S_ISLNK(kind):
                problems.append(Problem("E804", f"{name} is a symbolic link. Replace it by the file itself"))
            elif reason:
                left_out.append((name, reason))
            elif not name.isprintable():
                shown = ascii(name)[1:-1]
                problems.append(
                    Problem("E804", f"{shown}: no repository accepts a name with such characters. Rename it")
                )
            elif not stat.S_ISREG(kind):
                problems.append(Problem("E804", f"{name} is not a regular file. Remove it"))
            else:
                names.append(name)
            if len(names) > _MOST_FILES:
                raise PushError(Problem("E804", f"{output}: more than {_MOST_FILES} files. Is it the right folder?"))
        if problems:
            raise PushError(*problems)
        files = tuple(read_local_file(name, output / name) for name in sorted(names))
    except OSError as error:
        reason = error.strerror or str(error)
        raise PushError(Problem("E804", f"{error.filename or output} cannot be read ({reason})")) from None
    return Listing(files, tuple(sorted(left_out)))


def _walk(folder: Path, prefix: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Files, links, special files and excluded folders below `folder`, each with its name relative to OUTPUT."""
    with os.scandir(folder) as entries:
        for entry in entries:
            name = prefix + entry.name
            if entry.is_dir(follow_symlinks=False) and not _find_exclusion(name, entry):
                yield from _walk(Path(entry.path), f"{name}/")
            else:
                yield name, entry


def _find_exclusion(name: str, entry: os.DirEntry[str]) -> str:
    """Why a file or folder is not uploaded; empty if it is."""
    if entry.name.startswith("."):
        return "hidden"
    if entry.name == "__pycache__" or entry.name.endswith(".pyc"):
        return "made by Python"
    if name.startswith(f"{REPORTS}/") and name not in EVIDENCE:
        return "no part of the evidence"
    if name == TRACE and entry.stat(follow_symlinks=False).st_size >= LARGEST_TRACE:
        return f"{LARGEST_TRACE // 1_000_000} MB or more; --with-trace sends it"
    return ""
