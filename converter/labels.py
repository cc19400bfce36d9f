"""The labels that a config names, and the ways in which its tables can contradict each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from converter.errors import Problem


def read_labels(flat: Mapping[str, Any], file: str) -> tuple[tuple[str, ...] | None, list[Problem], list[str]]:
    """Label names in order of their ids, problems and warnings: from `id2label`, else `label2id`, else LABEL_i for
    `num_labels`, else None."""
    table, reverse, count = flat.get("id2label"), flat.get("label2id"), flat.get("num_labels")
    if count is not None and (type(count) is not int or not 0 < count <= 1 << 20):
        return None, [Problem("E014", f"{file}: num_labels is {count!r:.40}, expected a whole number over 0")], []
    if table is None and reverse is None:
        return (None if count is None else tuple(f"LABEL_{index}" for index in range(count))), [], []
    names, problem = _names_from_ids(table, file) if table is not None else _names_from_labels(reverse, file)
    if problem:
        return None, [problem], []
    problems, source = [], "id2label" if table is not None else "label2id"
    if reverse is not None and reverse != {name: index for index, name in enumerate(names)}:
        problems.append(Problem("E016", f"{file}: label2id is not the reverse of id2label. Which of the two is right?"))
    if count is not None and count != len(names):
        problems.append(Problem("E016", f"{file}: num_labels is {count!r:.40}, {source} has {len(names)} names"))
    said = [f"{file} has label2id and no id2label: the labels are taken from it"] if table is None else []
    return tuple(names), problems, said


def _names_from_ids(table: Any, file: str) -> tuple[list[str], Problem | None]:
    names = [table.get(str(index)) for index in range(len(table))] if isinstance(table, Mapping) else []
    if not names or not all(isinstance(name, str) for name in names):
        return [], Problem("E016", f"{file}: id2label must give a name to each of 0, 1, 2, ... and to nothing else")
    return [str(name) for name in names], None


def _names_from_labels(table: Any, file: str) -> tuple[list[str], Problem | None]:
    ids = list(table.values()) if isinstance(table, Mapping) else []
    if not ids or not all(type(index) is int for index in ids) or sorted(ids) != list(range(len(ids))):
        said = "there is no id2label, and label2id must then give each of 0, 1, 2, ... to one label"
        return [], Problem("E016", f"{file}: {said}. Mend either of them")
    return sorted(table, key=table.__getitem__), None
