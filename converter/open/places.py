"""Put the path that the user gave into messages that name a file of SOURCE.

The readers name files by their base names, for they are often given a folder in the cache. Here errors and warnings
pass on their way out, and the first file that a message names gets its folder in front.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from converter.common.errors import Paddle2TorchError, Problem

_MOST_NAMES = 5000
_ABOUT_TENSORS = ("E1", "E2")


@contextmanager
def naming_paths(path: Path, origin: str | None = None, *others: Path | None) -> Iterator[None]:
    """Within the block errors name files by the path that the user gave. `path`: SOURCE, as it was given, or where it
    was fetched to; then `origin` is what the user gave. `others`: further files and folders that the user named."""
    try:
        yield
    except Paddle2TorchError as error:
        error.problems = with_paths(error.problems, path, origin, *others)
        error.args = ("\n".join(map(str, error.problems)),)
        raise


def with_paths(
    problems: tuple[Problem, ...], path: Path, origin: str | None = None, *others: Path | None
) -> tuple[Problem, ...]:
    """The problems, each with the path of the first file that it names. Where none names one, and they are about names,
    shapes or values, SOURCE stands in front of the first."""
    placed = tuple(_with_path(problem, path, origin, *others) for problem in problems)
    told = any(f"{path}/" in problem.text or _named(str(path), problem.text) for problem in problems)
    unplaced = placed == problems and not told
    if not (unplaced and path.name and placed and placed[0].code.startswith(_ABOUT_TENSORS)):
        return placed
    return (replace(placed[0], text=f"{path}: {placed[0].text}"), *placed[1:])


def warnings_with_paths(
    warnings: Iterable[str], path: Path, origin: str | None = None, *others: Path | None
) -> tuple[str, ...]:
    """The warnings, each with the path of the first file that it names; what was fetched has none that the user gave.
    For the user alone: a report or a card that is published must not show where SOURCE lies."""
    return tuple(text if origin is not None else _place(text, (*others, path)) for text in warnings)


def _with_path(problem: Problem, path: Path, origin: str | None = None, *others: Path | None) -> Problem:
    """The problem, with the path of the first file that it names."""
    if origin is not None:
        return problem if origin in problem.text else replace(problem, text=f"{origin}: {problem.text}")
    return replace(problem, text=_place(problem.text, (*others, path)))


def _place(text: str, given: Sequence[Path | None]) -> str:
    places = [place for one in given if one is not None for place in _places(one, text)]
    if any(str(place) in text for place in places if place.name != str(place)):
        return text
    found = [(match.start(), place) for place in places for match in [_find(place, text)] if match is not None]
    if not found:
        return text
    start, first = min(found, key=lambda pair: pair[0])
    return f"{text[:start]}{first}{text[start + len(first.name) :]}"


def _places(given: Path, text: str) -> Sequence[Path]:
    """The files at a path that the text may name: itself, or those in it; for a file those next to it as well."""
    folder = given if given.is_dir() else given.parent
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for _, entry in zip(range(_MOST_NAMES), entries)]
    except OSError:
        names = []
    return [given, *(folder / name for name in sorted(names, key=len, reverse=True) if name in text)]


def _find(place: Path, text: str) -> re.Match[str] | None:
    """Where the text names a file. A folder may be called as an ordinary word is (`in`, `model`): it is meant where the
    text begins with it."""
    match = _named(place.name, text)
    return match if match is None or match.start() == 0 or not place.is_dir() else None


def _named(name: str, text: str) -> re.Match[str] | None:
    """The name where it stands alone: no part of a path or of another name, nor that of a file that is written."""
    other = r"[\w/\\-]|\.\w| of (OUTPUT|FOLDER)\b"
    return re.search(rf"(?<![\w./\\-]){re.escape(name)}(?!{other})", text) if name else None
