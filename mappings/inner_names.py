"""What lies inside the modules of a class, by its name, and what such a tensor may be: names/inner.toml."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, Optional

from mappings.expand import expand_names
from mappings.patterns import Pattern
from mappings.tables import SOURCE_CLASSES, Scheme, Table, load_table
from mappings.toml_files import TableError, check_keys, read_toml
from mappings.variable_names import load_automatic, load_official

#: What follows a module's name in the name of a variable that belongs to it.
_SEPARATORS = "._@"
_LAST_CHOICE = re.compile(r"\{[^{}]*\}$")


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
        return any(fnmatchcase(part, form) for part in name.lower().split(".") for form in self.parts)


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


def child_names(table: Table, scheme: Scheme) -> frozenset[str]:
    """The class's own children under this scheme: the first part of every name, the backbone among them.

    A name below one of them lies inside a module of the class, at whatever depth: a layer, a list of layers and the
    backbone are modules too, and what is put into one takes part in its computation. A name that begins with another
    part lies next to them, as a head does.
    """
    return frozenset(name.partition(".")[0] for name in _first_names(table, scheme))


def module_names(table: Table, scheme: Scheme) -> frozenset[str]:
    """The modules that have weights of their own, those of the layers as layer 0's."""
    return frozenset(name.rpartition(".")[0] for name in _first_names(table, scheme))


@cache
def backbone_modules() -> frozenset[str]:
    """The same of the backbone alone, as any scheme of any class names them."""
    tables = [load_table(source_class) for source_class in SOURCE_CLASSES]
    named = [_first_names(table, scheme, head=False) for table in tables for scheme in table.schemes]
    return frozenset(name.rpartition(".")[0] for names in named for name in names)


def _first_names(table: Table, scheme: Scheme, *, head: bool = True) -> Iterator[str]:
    """The names of a class under this scheme, of the layers the first one's."""
    numbers = {name: range(1) for name in table.ranges}
    for rows, prefix in ((table.backbone, scheme.prefix), (table.head if head else (), "")):
        for row in rows:
            for source, target in expand_names(row, numbers):
                yield prefix + (target if scheme.identity else source)


def is_inner_variable(name: str, source_class: str = "") -> bool:
    """Whether a variable of a static graph belongs to a module of the class (of any class without `source_class`)."""
    return any(stem.matches(name) for stem in _variable_stems(source_class))


@cache
def _variable_stems(source_class: str) -> tuple[Pattern, ...]:
    """Variables have flat names, so a module is what their names begin with: of a layer its number."""
    rows = load_official().names
    mine = [row for row in rows if not row.source_class or source_class in ("", row.source_class)]
    texts = [_stem(row.stored.text) for row in mine]
    texts += [(f"{kind.name}_{{number}}", _SEPARATORS) for kind in load_automatic().kinds]
    return tuple(
        Pattern(f"{text}{end}")
        for text, separators in dict.fromkeys(texts)
        for end in ("", *(f"{s}{{any}}" for s in separators))
    )


def _stem(stored: str) -> tuple[str, str]:
    """What the names of a module's variables begin with, and what may follow it: where the row has a dot, a dot."""
    before, layer, _ = stored.partition("{layer}")
    if layer:
        return before + layer, _SEPARATORS
    left = _LAST_CHOICE.sub("", stored)
    return left.rstrip(_SEPARATORS), "." if left.endswith(".") else _SEPARATORS
