"""The labels that a config names, and the ways in which its tables can contradict each other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from converter.common.errors import Problem


def read_labels(
    flat: Mapping[str, Any], file: str, count_name: str = "num_labels"
) -> tuple[tuple[str, ...] | None, list[Problem], list[str]]:
    """Label names in order of their ids, problems and warnings: from `id2label`, else `label2id`, else LABEL_i for
    `num_labels`, else None. `count_name`: what the file calls `num_labels`."""
    table, reverse, count = flat.get("id2label"), flat.get("label2id"), flat.get("num_labels")
    if count is not None and (type(count) is not int or not 0 < count <= 1 << 20):
        return None, [Problem("E014", f"{file}: {count_name} is {count!r:.40}, expected a whole number over 0")], []
    if table is None and reverse is None:
        return (None if count is None else tuple(f"LABEL_{index}" for index in range(count))), [], []
    if table is None:
        names, problem = _names_from_labels(reverse, file)
        warnings = [f"{file} has label2id and no id2label: the labels are taken from it"]
    else:
        names, problem = _names_from_ids(table, file)
        warnings = _warn_of_written(names, file)
    if problem:
        return None, [problem], []
    problems, source = [], "id2label" if table is not None else "label2id"
    if reverse is not None and not _is_reverse(reverse, names):
        problems.append(Problem("E016", f"{file}: label2id is not the reverse of id2label. Which of the two is right?"))
    if count is not None and count != len(names):
        problems.append(Problem("E016", f"{file}: {count_name} is {count!r:.40}, {source} has {len(names)} names"))
    return tuple(map(str, names)), problems, warnings


def _names_from_ids(table: Any, file: str) -> tuple[list[Any], Problem | None]:
    """The names by their ids, of whatever type they are. Ids may be whole numbers or their text in any form that
    PaddleNLP's int() takes."""
    if not isinstance(table, Mapping) or not table:
        text = f"{file}: id2label is {table!r:.60}, expected a table that gives a name to each of 0, 1, 2, ..."
        return [], Problem("E016", text)
    by_id: dict[int | None, Any] = {_as_id(key): name for key, name in table.items()}
    if set(by_id) != set(range(len(table))):
        ids = ", ".join(map(str, list(table)[:8])) + (", ..." if len(table) > 8 else "")
        text = f"{file}: id2label must give a name to each of 0, 1, 2, ... and to nothing else; its ids are {ids}"
        return [], Problem("E016", text)
    for index, name in by_id.items():
        if isinstance(name, (list, Mapping)):
            text = f"{file}: id2label's name of {index} is {name!r:.60}, expected a text"
            return [], Problem("E017", text)
    return [by_id[index] for index in range(len(table))], None


def _warn_of_written(names: list[Any], file: str) -> list[str]:
    """PaddleNLP takes a name of any type; transformers' pipelines want texts."""
    odd = [name for name in names if not isinstance(name, str)]
    if not odd:
        return []
    shown = ", ".join(f"{name!r:.30} as {str(name)!r:.30}" for name in odd[:3]) + (", ..." if len(odd) > 3 else "")
    return [f"{file}: {len(odd)} of the names in id2label are no texts; OUTPUT's are ({shown})"]


def _is_reverse(reverse: Any, names: list[Any]) -> bool:
    """Whether label2id leads from every name to its id. JSON has texts for keys: a name that is none stands there as
    Python's or as JSON's text of it."""
    if not isinstance(reverse, Mapping):
        return False
    found = {str(name): _as_id(index) for name, index in reverse.items()}
    return any(found == {spell(name): index for index, name in enumerate(names)} for spell in (str, _as_key))


def _as_key(name: Any) -> str:
    return name if isinstance(name, str) else json.dumps(name)


def _as_id(value: Any) -> int | None:
    """A whole number, or the text of one; None for anything else."""
    if type(value) is int:
        return value
    try:
        return int(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _names_from_labels(table: Any, file: str) -> tuple[list[Any], Problem | None]:
    ids = {name: _as_id(index) for name, index in table.items()} if isinstance(table, Mapping) else {}
    if not ids or sorted(-1 if index is None else index for index in ids.values()) != list(range(len(ids))):
        reason = "there is no id2label, and label2id must then give each of 0, 1, 2, ... to one label"
        return [], Problem("E016", f"{file}: {reason}. Correct either of them")
    return sorted(ids, key=lambda name: ids[name] or 0), None
