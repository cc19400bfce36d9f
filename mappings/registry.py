"""The families: found by their folders, each read and checked as a whole, or refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

from mappings.family import (
    FIELD_KINDS,
    HEADS,
    ConfigField,
    Family,
    ModelClass,
    Preset,
    Quirk,
    Size,
    TokenizerFacts,
    TravellingCode,
)
from mappings.network import build_network
from mappings.toml_files import TableError, check_keys, read_toml, require_keys

_FACTS = "family.toml"


@cache
def family_names() -> tuple[str, ...]:
    """Every folder that has a family.toml, by name."""
    folders = (entry for entry in resources.files("mappings").iterdir() if entry.is_dir())
    return tuple(sorted(folder.name for folder in folders if folder.joinpath(_FACTS).is_file()))


def all_families() -> tuple[Family, ...]:
    return tuple(load_family(name) for name in family_names())


@cache
def load_family(name: str) -> Family:
    """The family with this folder. Raises KeyError for one that there is not, TableError for one that is not whole."""
    if name not in family_names():
        raise KeyError(name)
    facts, quirks, network = (read_toml(name, file) for file in (_FACTS, "quirks.toml", "network.toml"))
    return build_family(name, facts, quirks, network)


def all_classes() -> Iterator[tuple[Family, ModelClass]]:
    for family in all_families():
        for entry in family.classes:
            yield family, entry


def find_class(name: object) -> tuple[Family, ModelClass] | None:
    """The family and class that PaddleNLP or transformers calls so."""
    return next(((family, entry) for family, entry in all_classes() if name in (entry.source, entry.target)), None)


def build_family(name: str, facts: Mapping[str, Any], quirks: Mapping[str, Any], network: Mapping[str, Any]) -> Family:
    """A checked family from parsed TOML. Raises TableError."""
    sections = ("title", "covers", "model_type", "tags", "backbone", "written", "tokenizer", "class", "size", "field")
    check_keys(facts, name, *sections, "code")
    require_keys(facts, name, *sections)
    check_keys(quirks, f"{name} quirks", "quirk", "preset")
    tokenizer = facts["tokenizer"]
    check_keys(tokenizer, "tokenizer", "kind", "class", "place")
    require_keys(tokenizer, "tokenizer", "kind", "class")
    family = Family(
        name=name,
        title=facts["title"],
        covers=facts["covers"],
        model_type=facts["model_type"],
        tags=tuple(facts["tags"]),
        backbone=facts["backbone"],
        written=tuple(facts["written"]),
        classes=tuple(_model_class(row) for row in facts["class"]),
        sizes=tuple(_typed(Size, row, "size", "field") for row in facts["size"]),
        fields=tuple(_config_field(row) for row in facts["field"]),
        quirks=tuple(_typed(Quirk, row, "quirk", "field", "meaning") for row in quirks["quirk"]),
        presets=tuple(_preset(row) for row in quirks["preset"]),
        network=build_network(network),
        tokenizer=TokenizerFacts(tokenizer["kind"], tokenizer["class"], tokenizer.get("place", "")),
        code=_code(facts["code"]) if "code" in facts else None,
    )
    _check(family)
    return family


def _typed(kind: Any, row: Mapping[str, Any], where: str, *needed: str) -> Any:
    check_keys(row, where, *kind.__dataclass_fields__)
    require_keys(row, where, *needed)
    return kind(**row)


def _model_class(row: Mapping[str, Any]) -> ModelClass:
    needed = ("source", "target", "auto", "head", "constructor")
    entry: ModelClass = _typed(ModelClass, {**row, "constructor": tuple(row.get("constructor", ()))}, "class", *needed)
    if entry.head not in HEADS:
        raise TableError(f"{entry.source}: no head {entry.head!r}; known are {', '.join(HEADS)}")
    return entry


def _config_field(row: Mapping[str, Any]) -> ConfigField:
    field: ConfigField = _typed(ConfigField, {**row, "writers": tuple(row.get("writers", ()))}, "field", "name", "kind")
    if field.kind not in FIELD_KINDS:
        raise TableError(f"{field.name}: no kind {field.kind!r}; known are {', '.join(FIELD_KINDS)}")
    return field


def _preset(row: Mapping[str, Any]) -> Preset:
    where = f"preset {row.get('name')}"
    check_keys(
        row, where, "name", "summary", "values", "advice", "when", "nulls", "usual", "choice", "hides_padding_of"
    )
    require_keys(row, where, "name", "summary", "values", "advice")
    when = {key: tuple(values) for key, values in row.get("when", {}).items()}
    check_keys(when, f"{where}: when", "naming", "config", "files")
    # TOML has no null.
    values = {**row["values"], **dict.fromkeys(row.get("nulls", ()))}
    flags = {key: row[key] for key in ("usual", "choice", "hides_padding_of") if key in row}
    return Preset(row["name"], row["summary"], values, row["advice"].strip("\n"), when, **flags)


def _code(data: Mapping[str, Any]) -> TravellingCode:
    check_keys(data, "code", "package", "files", "config", "model", "placeholders")
    require_keys(data, "code", "package", "files", "config", "model")
    placeholders = dict(data.get("placeholders", {}))
    return TravellingCode(data["package"], tuple(data["files"]), data["config"], data["model"], placeholders)


def _check(family: Family) -> None:
    if sum(entry.head == "none" for entry in family.classes) != 1:
        raise TableError(f"{family.name}: one class, and only one, has no head")
    if sum(preset.usual for preset in family.presets) != 1:
        raise TableError(f"{family.name}: one preset, and only one, is the usual one")
    for names in (
        [entry.source for entry in family.classes],
        [entry.target for entry in family.classes],
        [size.field for size in family.sizes],
        [field.name for field in family.fields],
        [preset.name for preset in family.presets],
    ):
        if len(set(names)) != len(names):
            raise TableError(f"{family.name}: a name stands twice: {', '.join(names)}")
    needed = {quirk.field for quirk in family.quirks if not quirk.from_config}
    for preset in family.presets:
        if set(preset.values) != needed:
            wrong = ", ".join(sorted(set(preset.values) ^ needed))
            raise TableError(f"{family.name}, preset {preset.name}: {wrong} must be given exactly once")
