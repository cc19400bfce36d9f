"""What the variable names of a family's original release mean: FAMILY/names/release.toml, checked and frozen."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Optional, Union

from mappings.tensors.patterns import Pattern
from mappings.toml_files import TableError, check_keys, require_keys


@dataclass(frozen=True)
class ReleaseName:
    """A name of the release and PaddleNLP's key. `role`: "weight", "pooler" or "head" (of one of `classes`).

    `optional`: some models are without it. `pooler`: whether the release's programs with this head have a pooler too.
    `preset`: the quirks that a checkpoint with this name follows, where not the release's.
    """

    stored: Pattern
    key: Pattern
    role: str
    classes: tuple[str, ...] = ()
    pooler: bool = True
    preset: str = ""
    optional: bool = False

    @property
    def source_class(self) -> str:
        """The first class whose head has this name; "" for a name of the encoder."""
        return self.classes[0] if self.classes else ""


@dataclass(frozen=True)
class ExtraName:
    """A weight of pre-training. Without a shape only its form is known; `alone`: not of one set with the others."""

    stored: Pattern
    shape: Optional[tuple[Union[str, int], ...]]
    alone: bool


@dataclass(frozen=True)
class HeadName:
    """A name of the release's head of pre-training and the key of a class that has it; `refused`: why the class cannot
    have this one, which then has no key."""

    source_class: str
    stored: Pattern
    key: Pattern | None
    refused: str = ""


@dataclass(frozen=True)
class VariableTable:
    """Files of another writer: the keys are not known, and the table of variables has the release's names."""

    writer: str
    preset: str


@dataclass(frozen=True)
class ReleaseNames:
    """`names`: of variables of a static graph; `state_dict`: keys of a state dict. `title`: the release in words."""

    names: tuple[ReleaseName, ...] = ()
    extras: tuple[ExtraName, ...] = ()
    #: Names that are extras unless the user asks for their class.
    pretraining_heads: tuple[HeadName, ...] = ()
    variable_table: Optional[VariableTable] = None
    state_dict: tuple[ReleaseName, ...] = ()
    title: str = ""


def build_release(data: Mapping[str, Any], classes: Collection[str], presets: Collection[str]) -> ReleaseNames:
    """Checked names from parsed TOML, for a family with these classes and presets. Raises TableError."""
    sections = ("title", "variable_table", "weight", "pooler", "head", "extra", "state_dict", "pretraining_head")
    check_keys(data, "release.toml", *sections)
    require_keys(data, "release.toml", "weight")
    names = [_name(row, role, classes, presets) for role in ("weight", "pooler", "head") for row in data.get(role, [])]
    extras = []
    for row in data.get("extra", []):
        check_keys(row, "extra", "stored", "shape", "alone")
        shape = tuple(row["shape"]) if "shape" in row else None
        extras.append(ExtraName(Pattern(row["stored"]), shape, row.get("alone", False)))
    table = data.get("variable_table")
    if table is not None:
        check_keys(table, "variable_table", "writer", "preset")
        require_keys(table, "variable_table", "writer", "preset")
        _check_preset(table["preset"], "variable_table", presets)
    state_dict = (
        _name(row, "head" if "class" in row else "weight", classes, presets) for row in data.get("state_dict", [])
    )
    heads = tuple(_head_name(row, classes) for row in data.get("pretraining_head", []))
    return ReleaseNames(
        tuple(names),
        tuple(extras),
        heads,
        VariableTable(**table) if table is not None else None,
        tuple(state_dict),
        data.get("title", ""),
    )


def _name(row: Mapping[str, Any], role: str, classes: Collection[str], presets: Collection[str]) -> ReleaseName:
    check_keys(row, role, "stored", "key", *(("class", "pooler", "preset") if role == "head" else ("optional",)))
    name = ReleaseName(
        Pattern(row["stored"]),
        Pattern(row["key"]),
        role,
        tuple(row.get("class", ())),
        row.get("pooler", True),
        row.get("preset", ""),
        row.get("optional", False),
    )
    if not name.stored.fits(name.key):
        raise TableError(f"{row['stored']} and {row['key']} have different placeholders")
    if role == "head" and not name.classes:
        raise TableError(f"{row['stored']}: a head of no class")
    unknown = sorted(set(name.classes) - set(classes))
    if unknown:
        raise TableError(f"{row['stored']}: no class {', '.join(unknown)}")
    _check_preset(name.preset, row["stored"], presets)
    return name


def _head_name(row: Mapping[str, Any], classes: Collection[str]) -> HeadName:
    check_keys(row, "pretraining_head", "class", "stored", "key", "refused")
    require_keys(row, "pretraining_head", "class", "stored")
    stored, key = Pattern(row["stored"]), Pattern(row["key"]) if "key" in row else None
    if (key is None) == ("refused" not in row):
        raise TableError(f"{row['stored']}: either a key, or the reason why it is refused")
    if key is not None and not stored.fits(key):
        raise TableError(f"{row['stored']} and {row['key']} have different placeholders")
    if row["class"] not in classes:
        raise TableError(f"{row['stored']}: no class {row['class']}")
    return HeadName(row["class"], stored, key, row.get("refused", ""))


def _check_preset(name: str, where: str, presets: Collection[str]) -> None:
    if name and name not in presets:
        raise TableError(f"{where}: no preset {name}")
