"""A family that is like another: what its folder does not give is the other's, row by row.

`like = "NAME"` in family.toml names the family, `[without]` the rows of it that this one does not have, and a class
that is like one of the other's says so itself. All else is merged by this rule, whatever the family:

- a section that the folder lacks is the other's;
- a table gets the other's further keys;
- a list of rows that have a name (NAMED) is the other's, each row replaced by the folder's own of that name, and the
  folder's further ones at the end. Rows without a name are put after the other's;
- any other value replaces the other's.

Never taken over: classes (each is named), the code that travels, published models, and the signs of other models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mappings.folders import FACTS
from mappings.toml_files import TableError, check_keys

Files = Mapping[str, Mapping[str, Any]]

#: What the rows of a section are known by.
NAMED = {
    **{"size": "field", "field": "name", "quirk": "field", "preset": "name", "config": "writer"},
    **{"scheme": "name", "tensor": "source", "table": "name", "activation": "name", "layer": "name", "end": "name"},
    **{"weight": "stored", "pooler": "stored", "kind": "name", "state_dict": "stored", "difference": "name"},
}
#: Sections of the files of names whose rows may be of classes.
_OF_CLASSES = ("head", "state_dict")
#: In [without]: whole files of which nothing is taken over.
FILE = "file"
TENSORS, AUTOMATIC, RELEASE = "tensors.toml", "names/automatic.toml", "names/release.toml"
_OWN_FILES = ("pretrained.toml", "figures.toml", "names/foreign.toml")
_OWN_SECTIONS = {FACTS: ("class", "code", "by_content", "like", "without", "source_backbone", "target_model_type")}


def complete(own: Files, other: Files) -> dict[str, dict[str, Any]]:
    """The files of a family that is like `other`, whole. Raises TableError for a class or a row that `other` lacks."""
    facts = own[FACTS]
    without = {section: list(names) for section, names in facts.get("without", {}).items()}
    renamed = _renamed_classes(facts, other[FACTS])
    made: dict[str, dict[str, Any]] = {name: dict(data) for name, data in own.items()}
    unwanted = without.pop(FILE, [])
    unknown = sorted(set(unwanted) - set(other))
    if unknown:
        raise TableError(f"[without] names the file {', '.join(unknown)}, which {facts['like']} does not have")
    for name, theirs in other.items():
        if name in _OWN_FILES or name in unwanted:
            continue
        if name in (TENSORS, AUTOMATIC, RELEASE):
            theirs = _with_our_classes(name, theirs, renamed, own.get(name, {}))
        made[name] = _merge_file(name, own.get(name, {}), theirs, without)
    if any(without.values()):
        left = ", ".join(f"{section} {', '.join(names)}" for section, names in without.items() if names)
        raise TableError(f"[without] names {left}, which {facts['like']} does not have")
    made[FACTS]["class"] = [_class(row, other[FACTS], facts) for row in facts.get("class", [])]
    for key in ("like", "without"):
        made[FACTS].pop(key, None)
    return made


def _merge_file(
    name: str, ours: Mapping[str, Any], theirs: Mapping[str, Any], without: dict[str, list[str]]
) -> dict[str, Any]:
    left = {key: value for key, value in theirs.items() if key not in _OWN_SECTIONS.get(name, ())}
    left = {section: _leave_out(section, value, without) for section, value in left.items()}
    merged = {section: _merge(section, ours.get(section), value) for section, value in left.items()}
    return {**merged, **{section: value for section, value in ours.items() if section not in merged}}


def _leave_out(section: str, value: Any, without: dict[str, list[str]]) -> Any:
    """The other's section without the rows that [without] names; what was found there is struck off `without`."""
    wanted = without.get(section, [])
    if not wanted:
        return value
    if isinstance(value, dict):
        found = [name for name in wanted if name in value]
        kept: Any = {name: part for name, part in value.items() if name not in found}
    else:
        names = [_name_of(section, row) for row in value]
        found = [name for name in wanted if name in names]
        kept = [row for row, name in zip(value, names) if name not in found]
    without[section] = [name for name in wanted if name not in found]
    return kept


def _merge(section: str, ours: Any, theirs: Any) -> Any:
    if ours is None:
        return theirs
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return {**theirs, **ours}
    if not (isinstance(ours, list) and ours and isinstance(ours[0], dict)):
        return ours
    if section not in NAMED:
        return [*theirs, *ours]
    named = {_name_of(section, row): row for row in ours}
    return [
        *(named.pop(_name_of(section, row), row) for row in theirs),
        *(row for row in ours if _name_of(section, row) in named),
    ]


def _name_of(section: str, row: Any) -> Any:
    return row.get(NAMED[section]) if isinstance(row, dict) and section in NAMED else row


def _renamed_classes(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, str]:
    """The other's class -> the class that is like it. Raises TableError for a class that there is not."""
    renamed = {row["like"]: row["source"] for row in ours.get("class", []) if "like" in row and "source" in row}
    unknown = set(renamed) - {row["source"] for row in theirs["class"]}
    if unknown:
        raise TableError(f"no class {', '.join(sorted(unknown))} that another could be like")
    return renamed


def _class(row: Mapping[str, Any], theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    """A class with what it takes over; the other's backbone is called ours in the constructor."""
    if "like" not in row:
        return dict(row)
    found = next(other for other in theirs["class"] if other["source"] == row["like"])
    attributes = {theirs.get("source_backbone", theirs["backbone"]): ours.get("source_backbone", ours.get("backbone"))}
    constructor = [attributes.get(name, name) for name in found["constructor"]]
    return {**found, "constructor": constructor, **{key: value for key, value in row.items() if key != "like"}}


def _with_our_classes(
    name: str, theirs: Mapping[str, Any], renamed: Mapping[str, str], ours: Mapping[str, Any]
) -> dict[str, Any]:
    """The other's file with the rows of those classes alone that have a counterpart here, under its name."""
    if name == TENSORS:
        given = [row.get("source") for row in ours.get("class", [])]
        rows = [
            _table_class(row, theirs, renamed)
            for row in theirs["class"]
            if row["source"] in renamed and renamed[row["source"]] not in given
        ]
        return {**theirs, "class": rows}
    return {
        **theirs,
        **{section: _of_our_classes(theirs[section], renamed) for section in _OF_CLASSES if section in theirs},
    }


def _of_our_classes(rows: Sequence[Mapping[str, Any]], renamed: Mapping[str, str]) -> list[dict[str, Any]]:
    """The rows that are of no class, or of one that has a counterpart here, under its name (or a list of names)."""
    taken = []
    for row in rows:
        given = row.get("class", "")
        if isinstance(given, list):
            ours: Any = [renamed[name] for name in given if name in renamed]
        else:
            ours = renamed.get(given, "")
        if ours or not given:
            taken.append({**row, "class": ours} if "class" in row else dict(row))
    return taken


def _table_class(row: Mapping[str, Any], theirs: Mapping[str, Any], renamed: Mapping[str, str]) -> dict[str, Any]:
    check_keys(row, "class", "source", "parts", "scheme", "tensor", "tensors_of", "left_out")
    taken = {**row, "source": renamed[row["source"]]}
    before = taken.pop("tensors_of", None)
    if before is not None:
        of = next(other for other in theirs["class"] if other["source"] == before)
        before_it = _table_class({**of, "source": row["source"]}, theirs, renamed)
        taken["tensor"] = [*before_it.get("tensor", []), *taken.get("tensor", [])]
    return taken
