"""What an unknown tensor inside the modules of a class may be, by its name: shared/inner.toml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase, translate
from functools import cache
from typing import Any, Optional

from mappings.toml_files import TableError, check_keys, read_toml


@dataclass(frozen=True)
class InnerKind:
    """A kind of tensor that is found inside modules: forms of its names, what it leaves open, what to do about it."""

    name: str
    doubt: str
    advice: str
    parts: tuple[str, ...] = ()
    #: A file that holds nothing but these is no model.
    adapter: bool = False
    #: It changes the model wherever its name lies.
    anywhere: bool = False

    def matches(self, name: str) -> bool:
        fits = _any_form(self.parts)
        return any(fits.match(part) for part in name.lower().split("."))


@cache
def _any_form(forms: tuple[str, ...]) -> re.Pattern[str]:
    """What fits one of the forms, which are asked of every tensor's name. No forms fit nothing."""
    return re.compile("|".join(map(translate, forms)) if forms else r"(?!)")


@dataclass(frozen=True)
class AdapterFile:
    """Forms of the names of files that hold an adapter without its model, and which."""

    names: tuple[str, ...]
    holds: str


@dataclass(frozen=True)
class InnerNames:
    kinds: tuple[InnerKind, ...]
    #: A bias of a module that has none in its class.
    bias: InnerKind
    #: What no row names.
    other: InnerKind
    files: tuple[AdapterFile, ...]

    def recognise(self, name: str) -> Optional[InnerKind]:
        """The kind that a name is of, wherever it lies; None for a name like any other."""
        return next((kind for kind in self.kinds if kind.matches(name)), None)

    def adapter_file(self, name: str) -> Optional[AdapterFile]:
        """The row that knows a file name."""
        return next((row for row in self.files if any(fnmatchcase(name, form) for form in row.names)), None)


@cache
def load_inner() -> InnerNames:
    return build_inner(read_toml("shared", "inner.toml"))


def build_inner(data: Mapping[str, Any]) -> InnerNames:
    """Checked rows from parsed TOML. Raises TableError."""
    check_keys(data, "inner.toml", "kind", "bias", "other", "file")
    kinds = tuple(_kind(row, "kind", "parts", "adapter", "anywhere") for row in data["kind"])
    formless = next((kind.name for kind in kinds if not kind.parts), None)
    if formless is not None:
        raise TableError(f"[kind] {formless}: no forms of names")
    for row in data["file"]:
        check_keys(row, "file", "names", "holds")
    files = tuple(AdapterFile(tuple(row["names"]), row["holds"]) for row in data["file"])
    return InnerNames(kinds, _kind(data["bias"], "bias"), _kind(data["other"], "other"), files)


def _kind(row: Mapping[str, Any], where: str, *optional: str) -> InnerKind:
    check_keys(row, where, "name", "doubt", "advice", *optional)
    if not (row["name"] and row["doubt"] and row["advice"]):
        raise TableError(f"[{where}] lacks a name, a doubt or an advice")
    parts = tuple(row.get("parts", ()))
    if any(part != part.lower() or not part.strip("*") for part in parts):
        raise TableError(f"[{where}] {row['name']}: a form that fits every name, or is not in lower case")
    return InnerKind(
        row["name"], row["doubt"], row["advice"], parts, row.get("adapter", False), row.get("anywhere", False)
    )
