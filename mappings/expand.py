"""Rows with placeholders, expanded into an exact and finite list: what each tensor of one checkpoint becomes."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mappings.ops import OPERATIONS
from mappings.tables import Row, Scheme, Table
from mappings.toml_files import TableError

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True)
class Mapped:
    """One source tensor and its target. Shapes are exact. With `drop` set there is no target, for that reason."""

    source: str
    target: str
    source_shape: tuple[int, ...]
    target_shape: tuple[int, ...]
    op: str
    why: str
    drop: str
    optional: str


def expand(table: Table, scheme: Scheme, sizes: Mapping[str, int]) -> tuple[Mapped, ...]:
    """Every tensor of a checkpoint of this class, in table order.

    `sizes` gives each field that the table's [dims] and [ranges] name. Raises TableError when the table would use
    a source twice or make a target twice.
    """
    numbers = {name: range(sizes[field]) for name, field in table.ranges.items()}
    dims = {name: sizes[field] for name, field in table.dims.items()}
    mapped: list[Mapped] = []
    for rows, source_prefix, target_prefix in (
        (table.backbone, scheme.prefix, table.backbone_prefix),
        (table.head, "", ""),
    ):
        for row in rows:
            shape = tuple(size if isinstance(size, int) else dims[size] for size in row.shape)
            target_shape = OPERATIONS[row.op].target_shape(shape)
            for source, target in expand_names(row, numbers):
                mapped.append(
                    Mapped(
                        source_prefix + (target if scheme.identity else source),
                        "" if row.drop else target_prefix + target,
                        target_shape if scheme.identity else shape,
                        target_shape,
                        "keep" if scheme.identity else row.op,
                        row.why,
                        row.drop,
                        row.optional,
                    )
                )
    _check_unique(table, [entry.source for entry in mapped], "source")
    _check_unique(table, [entry.target for entry in mapped if entry.target], "target")
    return tuple(mapped)


def expand_names(row: Row, numbers: Mapping[str, range]) -> Iterator[tuple[str, str]]:
    """Source and target names of a row. A placeholder stands for the same thing on both sides."""
    slots = _PLACEHOLDER.findall(row.source)
    if sorted(slots) != sorted(_PLACEHOLDER.findall(row.target)) or len(set(slots)) != len(slots):
        raise TableError(f"{row.source} and {row.target} must have the same placeholders, each once")
    for values in itertools.product(*(_values(slot, numbers) for slot in slots)):
        chosen = dict(zip(slots, values))
        yield _fill(row.source, chosen), _fill(row.target, chosen)


def _values(slot: str, numbers: Mapping[str, range]) -> list[str]:
    if "," in slot:
        return slot.split(",")
    if slot not in numbers:
        raise TableError(f"{{{slot}}} is not in [ranges]")
    return [str(number) for number in numbers[slot]]


def _fill(name: str, chosen: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda match: chosen[match[1]], name)


def _check_unique(table: Table, names: list[str], what: str) -> None:
    if len(set(names)) != len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise TableError(f"{table.source_class}: {what} named twice: {', '.join(twice[:5])}")


def matches_row(name: str, table: Table, scheme: Scheme) -> bool:
    """Whether a row of this table could name `name` with numbers of any size: known, if perhaps out of range."""
    pattern = table.patterns.get(scheme)
    if pattern is None:  # Compiled once: a file may have many thousands of names.
        rows = [(row, scheme.prefix) for row in table.backbone] + [(row, "") for row in table.head]
        names = dict.fromkeys(prefix + (row.target if scheme.identity else row.source) for row, prefix in rows)
        pattern = table.patterns[scheme] = re.compile("|".join(f"(?:{_expression(name)})" for name in names))
    return pattern.fullmatch(name) is not None


def _expression(source: str) -> str:
    parts = []
    for index, part in enumerate(_PLACEHOLDER.split(source)):
        if index % 2 == 0:
            parts.append(re.escape(part))
        elif "," in part:
            parts.append("(?:" + "|".join(map(re.escape, part.split(","))) + ")")
        else:
            parts.append("(?:0|[1-9][0-9]*)")
    return "".join(parts)
