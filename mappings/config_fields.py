"""What becomes of the fields of a source's config: FAMILY/config_fields.toml, read, checked and frozen."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from mappings.toml_files import TableError, check_keys, require_keys

#: Who writes configs, in any family: config.json of PaddleNLP 2.5 and later, model_config.json of earlier ones, and
#: config.json of transformers. A family may have further ones (ConfigFile).
PADDLENLP, CONSTRUCTOR, TRANSFORMERS = WRITERS = ("paddlenlp", "constructor call", "transformers")


@dataclass(frozen=True)
class ConfigFile:
    """A config of another writer than PaddleNLP and transformers, which names no class and no labels. It is known by
    its name, or by a regular expression of it (`form`), and has one of `fields` where any are named. `unsaid`: fields
    that such a file never has, or need not."""

    writer: str
    file: str = ""
    form: str = ""
    unsaid: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()

    def fits(self, name: str) -> bool:
        return name == self.file or bool(self.form and re.fullmatch(self.form, name, re.ASCII))


@dataclass(frozen=True)
class Aliases:
    """Alias -> field, and whether an alias that is 0, 0.0 or "" counts."""

    names: Mapping[str, str]
    falsy_counts: bool


@dataclass(frozen=True)
class RefusedField:
    """A field with which the source's class computes what no class here can, unless its value is harmless."""

    field: str
    harmless: tuple[Any, ...]
    why: str
    advice: str

    def value_in(self, config: Mapping[str, Any]) -> Any:
        """The value where the field stands, down the dots; None where it does not."""
        value: Any = config
        for part in self.field.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return value

    def is_harmless(self, value: Any) -> bool:
        return value is None or _is_one_of(value, self.harmless)


@dataclass(frozen=True)
class FixedField:
    """A field for which the output's class knows one value only, which may be that of another field (`equals`)."""

    field: str
    value: Any = None
    equals: str = ""


@dataclass(frozen=True)
class ConfigFields:
    """The rules for one writer's configs."""

    aliases: Aliases
    #: Field -> the values with which it decides nothing; None: whatever its value.
    left_out: Mapping[str, tuple[Any, ...] | None]
    refused: tuple[RefusedField, ...]
    fixed: tuple[FixedField, ...] = ()

    def decides_nothing(self, field: str, value: Any) -> bool:
        """Whether leaving the field out changes nothing, as a table states."""
        if field not in self.left_out:
            return False
        values = self.left_out[field]
        return values is None or value is None or _is_one_of(value, values)


def build_config_fields(data: Mapping[str, Any], writer: str, writers: Collection[str] = WRITERS) -> ConfigFields:
    """The checked rules of one of the `writers` from parsed TOML. Raises TableError."""
    check_keys(data, "config_fields", "alias", "left_out", "refused", "fixed")
    require_keys(data, "config_fields", "alias", "left_out", "refused")
    aliases = Aliases({}, False)
    for entry in data["alias"]:
        check_keys(entry, "alias", "writer", "falsy", "names")
        _check_writers([entry["writer"]], writers)
        if entry["falsy"] not in ("ignored", "taken"):
            raise TableError(f"falsy is {entry['falsy']!r}, expected 'ignored' or 'taken'")
        if entry["writer"] == writer:
            aliases = Aliases(dict(entry["names"]), entry["falsy"] == "taken")
    left_out: dict[str, tuple[Any, ...] | None] = {}
    for entry in data["left_out"]:
        check_keys(entry, "left_out", "fields", "why", "writers", "values")
        if not _is_for(entry, writer, writers):
            continue
        for field in entry["fields"]:
            # Where any row leaves a field out whatever its value, so it is.
            if field not in left_out or "values" not in entry:
                left_out[field] = tuple(entry["values"]) if "values" in entry else None
    refused = []
    for entry in data["refused"]:
        check_keys(entry, "refused", "field", "writers", "harmless", "why", "advice")
        if _is_for(entry, writer, writers):
            refused.append(RefusedField(entry["field"], tuple(entry["harmless"]), entry["why"], entry["advice"]))
    fixed = []
    for entry in data.get("fixed", []):
        check_keys(entry, "fixed", "field", "writers", "value", "equals", "why")
        if ("value" in entry) == ("equals" in entry):
            raise TableError(f"[fixed] {entry['field']}: `value` or `equals`, and not both")
        if _is_for(entry, writer, writers):
            fixed.append(FixedField(entry["field"], entry.get("value"), entry.get("equals", "")))
    return ConfigFields(aliases, left_out, tuple(refused), tuple(fixed))


def _is_for(entry: Mapping[str, Any], writer: str, known: Collection[str]) -> bool:
    writers = entry.get("writers", known)
    _check_writers(writers, known)
    return writer in writers


def _check_writers(writers: Any, known: Collection[str]) -> None:
    unknown = set(writers) - set(known)
    if unknown:
        raise TableError(f"nobody writes configs as {', '.join(sorted(unknown))}")


def _is_one_of(value: Any, values: tuple[Any, ...]) -> bool:
    """Equal, and of the same type: False is not 0 here."""
    return any(type(value) is type(other) and value == other for other in values)
