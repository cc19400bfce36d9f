"""Mapping tables: read from TOML, checked as they are read, and frozen.

One file per PaddleNLP class (`source_class`), with the tables that it includes. A row names a source tensor
(PaddleNLP's name), its target (transformers 4.57's name), the source's shape in sizes of the config, the operation,
and why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Callable

from mappings.ops import OPERATIONS
from mappings.registry import all_classes, find_class
from mappings.toml_files import TableError, check_keys, read_toml


@dataclass(frozen=True)
class Row:
    """One line of a table. `{a,b}` in a name stands for each of them, `{layer}` for every number of that range.

    With `drop` set the source is known and left out, for that reason. Rows with the same `optional` may all be missing
    together, with what that text says.
    """

    source: str
    target: str
    shape: tuple[str | int, ...]
    op: str
    why: str = ""
    drop: str = ""
    optional: str = ""


@dataclass(frozen=True)
class Scheme:
    """A way in which files name the tensors of a class: the prefix that stands before those of the backbone.

    With `identity` they have the targets' names and shapes already, and every tensor is kept as it is.
    """

    name: str
    prefix: str
    identity: bool = False


@dataclass(frozen=True)
class Table:
    """The rows of one class. Backbone names carry no prefix: `backbone_prefix` is the target's, a scheme has the
    source's."""

    source_class: str
    target_class: str
    version: int
    dims: Mapping[str, str]
    ranges: Mapping[str, str]
    backbone: tuple[Row, ...]
    head: tuple[Row, ...]
    backbone_prefix: str
    schemes: tuple[Scheme, ...]

    @cached_property
    def patterns(self) -> dict[Scheme, re.Pattern[str]]:
        """What `matches_row` compiled, by scheme."""
        return {}


#: PaddleNLP's classes, of every family.
SOURCE_CLASSES = tuple(entry.source for _, entry in all_classes())


@cache
def load_table(source_class: str) -> Table:
    """The table of a PaddleNLP class. Raises KeyError for a class that has none."""
    found = find_class(source_class)
    if found is None or found[1].source != source_class:
        raise KeyError(source_class)
    folder = found[0].name

    def read(name: str) -> dict[str, Any]:
        return read_toml(folder, f"{name}.toml")

    return build_table(read(source_class), read)


def build_table(data: Mapping[str, Any], include: Callable[[str], Mapping[str, Any]]) -> Table:
    """A checked table from parsed TOML; `include` reads an included one by name. Raises TableError."""
    check_keys(
        data, "table", "source_class", "target_class", "version", "dims", "ranges", "include", "scheme", "tensor"
    )
    dims: dict[str, str] = dict(data.get("dims", {}))
    ranges: dict[str, str] = dict(data.get("ranges", {}))
    backbone: list[Row] = []
    prefixes = set()
    for entry in data["include"]:
        check_keys(entry, "include", "table", "prefix", "drop", "optional")
        part = include(entry["table"])
        check_keys(part, entry["table"], "dims", "ranges", "tensor")
        _merge(dims, part.get("dims", {}))
        _merge(ranges, part.get("ranges", {}))
        prefixes.add(entry.get("prefix", ""))
        backbone += [_row(row, entry.get("drop", ""), entry.get("optional", "")) for row in part["tensor"]]
    if len(prefixes) != 1:
        raise TableError(f"{data['source_class']}: includes with different prefixes")
    table = Table(
        source_class=data["source_class"],
        target_class=data["target_class"],
        version=data["version"],
        dims=dims,
        ranges=ranges,
        backbone=tuple(backbone),
        head=tuple(_row(row) for row in data.get("tensor", [])),
        backbone_prefix=prefixes.pop(),
        schemes=tuple(_scheme(scheme) for scheme in data["scheme"]),
    )
    _check(table)
    return table


def _row(data: Mapping[str, Any], drop: str = "", optional: str = "") -> Row:
    check_keys(data, "tensor", "source", "target", "shape", "op", "why")
    return Row(data["source"], data["target"], tuple(data["shape"]), data["op"], data.get("why", ""), drop, optional)


def _scheme(data: Mapping[str, Any]) -> Scheme:
    check_keys(data, "scheme", "name", "prefix", "identity")
    return Scheme(data["name"], data["prefix"], data.get("identity", False))


def _merge(into: dict[str, str], more: Mapping[str, str]) -> None:
    for key, value in more.items():
        if into.setdefault(key, value) != value:
            raise TableError(f"{key} means {into[key]} and {value}")


def _check(table: Table) -> None:
    for row in table.backbone + table.head:
        if row.op not in OPERATIONS:
            raise TableError(f"{row.source}: unknown op {row.op!r}")
        if len(row.shape) not in OPERATIONS[row.op].ranks:
            raise TableError(f"{row.source}: {row.op} takes no {len(row.shape)}-d tensor")
        for size in row.shape:
            if isinstance(size, str) and size not in table.dims:
                raise TableError(f"{row.source}: {size} is not in [dims]")
    for scheme in table.schemes:
        if scheme.identity and scheme.prefix != table.backbone_prefix:
            raise TableError(f"{table.source_class}: names that are the target's have its prefix")
    if len({(scheme.prefix, scheme.identity) for scheme in table.schemes}) != len(table.schemes) or not table.schemes:
        raise TableError(f"{table.source_class}: name schemes must differ, and there must be one")
