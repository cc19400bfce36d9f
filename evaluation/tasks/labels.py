"""The model's classes, and what the data call them: never guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from converter.common.errors import DataError, Problem

#: Two spellings of one label: XNLI's machine translations have the first.
_SPELLINGS = (("contradictory", "contradiction"),)
MOST_LISTED = 12


def check_labels(given: Sequence[str] | None, names: Sequence[str]) -> tuple[str, ...]:
    """The names of the classes in the data: those that the user gives, else the model's own. Raises DataError for
    another number of them, or one twice."""
    labels = tuple(given or names)
    if len(labels) != len(names):
        text = f"--labels has {len(labels)} names, the model has {len(names)} classes ({listed(names)})"
        raise DataError(Problem("E904", text))
    if len(set(labels)) != len(labels):
        raise DataError(Problem("E904", f"two classes have one name: {listed(labels)}. --labels a,b,c names each"))
    return labels


def with_spellings(labels: Sequence[str]) -> dict[str, int]:
    """Label -> id, under each spelling that is not another label."""
    known = {label: number for number, label in enumerate(labels)}
    for pair in _SPELLINGS:
        for name, same in (pair, pair[::-1]):
            if name in known:
                known.setdefault(same, known[name])
    return known


def unknown_labels(unknown: Mapping[str, str], names: Sequence[str], given: Sequence[str] | None) -> DataError:
    """E904. `unknown`: label of the data -> the first place that has it."""
    place = next(iter(unknown.values()))
    what = f"--labels has {listed(given)}" if given is not None else f"the model's classes are {listed(names)}"
    advice = "--labels a,b,c says what the data call class 0, 1, 2"
    text = f"labels of the data are unknown: {listed(list(unknown))} (first in {place}); {what}. {advice}"
    return DataError(Problem("E904", text))


def listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_LISTED} more" if len(names) > MOST_LISTED else ""
    return ", ".join(f"{name!r:.40}" for name in names[:MOST_LISTED]) + more
