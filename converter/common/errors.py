"""The errors of this tool. Each holds a list of problems, and each problem has a code.

Codes by room: E0 source and usage, E1 names, E2 shapes, dtypes and values, E3 files that are damaged or
hostile, E4 parity, E5 the output folder, E6 the reference and traces, E7 fetching, E8 publishing, E9 evaluation.
docs/errors.md explains each.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from converter.common.redaction import redact

#: How many problems, fields or reasons a message lists at most.
MOST_LISTED = 12


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: what it concerns, what was expected and found, and what to do next. Passwords in
    addresses are removed from the text."""

    code: str
    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", redact(self.text))

    def __str__(self) -> str:
        return f"error[{self.code}]: {self.text}"


class Paddle2TorchError(Exception):
    """The base of all errors of this tool. `problems` holds every problem found, never only the first."""

    def __init__(self, *problems: Problem) -> None:
        self.problems: tuple[Problem, ...] = problems
        super().__init__("\n".join(str(problem) for problem in problems))

    def __reduce__(self) -> tuple[type, tuple[Problem, ...]]:
        return type(self), self.problems


class SourceError(Paddle2TorchError):
    """SOURCE is missing, is not a known checkpoint, or lacks something that only the user can specify."""


class FetchError(SourceError):
    """SOURCE could not be downloaded, or the download could not be stored."""


class FileError(Paddle2TorchError):
    """A file of SOURCE is damaged, hostile or of another kind."""


class NamesError(FileError):
    """The names of a file are not those of one model of the family. `lacking`: how many names a file of the family has
    more, or has not; `known`: how many the family knows."""

    def __init__(self, *problems: Problem, lacking: float = 0, known: int = 0) -> None:
        super().__init__(*problems)
        self.lacking, self.known = lacking, known


class UnknownNames(NamesError):
    """No name of a file is one of the family's: another family may know them."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems, lacking=math.inf)


class PlanError(Paddle2TorchError):
    """The tensors of SOURCE are not those of the model that its config describes."""


class OutputError(Paddle2TorchError):
    """OUTPUT cannot be written: it exists, the disk is full, or a file does not read back equal."""


class PushError(Paddle2TorchError):
    """OUTPUT is not verified, the Hub does not accept it, or the Hub has other bytes than were sent."""


class ReferenceFailure(Paddle2TorchError):
    """Paddle is missing or broken, or a trace is damaged or belongs to another checkpoint."""


class VerificationError(Paddle2TorchError):
    """OUTPUT is not the same model as SOURCE, or it could not be judged; raised by `Report.check`."""


class DataError(Paddle2TorchError):
    """The data of an evaluation cannot be read, fit no form or several, or do not fit the model."""


#: Reasons that go on with the name of what they are about, as in "x.bin is empty".
_VERBS = frozenset(["is", "has", "holds", "lacks", "gives", "starts", "ends", "asks", "does", "cannot"])


def about(place: str, reason: str) -> str:
    """What a reason is about, and the reason: after a colon, unless the two make a sentence."""
    verb, _, following = reason.partition(" ")
    joins = verb in _VERBS or (verb == "names" and not following.startswith(("of ", "as ")))
    return f"{place} {reason}" if joins else f"{place}: {reason}"


def file_error(code: str, file: str, reason: str, *, offset: int | None = None) -> FileError:
    """A FileError about one file, with the byte offset where it is known."""
    place = file if offset is None else f"{file} (byte {offset})"
    return FileError(Problem(code, about(place, reason)))


def fold_names(names: Iterable[str]) -> str:
    """Fold the layer numbers of names into exact ranges: `layers.{0-5,20-23}.norm.bias (10 tensors)`."""
    groups: dict[tuple[str, str], list[int]] = {}
    plain: list[str] = []
    for name in names:
        head, found, tail = name.partition(".layers.")
        number, dot, rest = tail.partition(".")
        if found and _is_layer(number):
            groups.setdefault((head + found, dot + rest), []).append(int(number))
        else:
            plain.append(name)
    first = list(groups.items())[:20]
    folded = [f"{_shorten(head)}{_fold_numbers(numbers)}{_shorten(tail)}" for (head, tail), numbers in first]
    count = len(plain) + sum(map(len, groups.values()))
    shown = [_shorten(name) for name in plain[:12]] + folded
    more = len(plain) + len(groups) - len(shown)
    text = ", ".join(shown) + (f" and {more} more" if more else "")
    return text if count == 1 else f"{text} ({count} tensors)"


#: Ranges shown for one name: a model has a hundred layers at most.
_MOST_RUNS = 50


def _is_layer(number: str) -> bool:
    """Whether a part of a name is a layer number: below a million, since int() refuses thousands of digits."""
    return len(number) < 7 and number.isascii() and number.isdecimal() and number == str(int(number))


def _shorten(name: str) -> str:
    """A file may hold names of any length."""
    return name if len(name) <= 200 else name[:197] + "..."


def _fold_numbers(numbers: list[int]) -> str:
    ordered = sorted(set(numbers))
    if len(ordered) == 1:
        return str(ordered[0])
    runs: list[list[int]] = []
    for number in ordered:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    shown = [str(a) if a == b else f"{a}-{b}" for a, b in runs[:_MOST_RUNS]]
    return "{" + ",".join(shown + ["..."] * (len(runs) > _MOST_RUNS)) + "}"
