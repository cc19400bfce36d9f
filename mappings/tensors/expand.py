"""Rows with placeholders, expanded into an exact and finite list: what each tensor of one checkpoint becomes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mappings.tensors.ops import OPERATIONS
from mappings.tensors.rows import Row, Scheme, Table
from mappings.toml_files import TableError


@dataclass(frozen=True)
class Mapped:
    """One source tensor and its target. Shapes are exact. With `drop` set there is no target, for that reason.

    `same_as`: the source of which this is a further copy, that must be equal.
    """

    source: str
    target: str
    source_shape: tuple[int, ...]
    target_shape: tuple[int, ...]
    op: str
    why: str
    drop: str
    optional: str
    part: str = ""
    same_as: str = ""
    #: The warning where a copy is not equal, which is then no error.
    differs: str = ""
    #: A copy that only files of earlier releases have.
    older: bool = False
    #: The config's field with the row for which Paddle's lookup gives zeros.
    zeroed: str = ""
    #: Why the class is not converted without it, and the next step.
    missing: str = ""


def expand(table: Table, scheme: Scheme, sizes: Mapping[str, int]) -> tuple[Mapped, ...]:
    """Every tensor of a checkpoint of this class, in table order; further copies come last.

    `sizes` has the family's sizes and, for a class with labels, num_labels. Raises TableError when the table would use
    a source twice or make a target twice.
    """
    mapped: list[Mapped] = []
    copies: list[tuple[Row, str]] = []
    sources: list[str] = []
    #: Source name without a prefix -> its entry, which copies refer to.
    originals: dict[str, Mapped] = {}
    for row, source_prefix, target_prefix in _prefixed(table, scheme):
        if row.same_as is not None:
            copies.append((row, source_prefix))
            continue
        shape = tuple(size if isinstance(size, int) else sizes[size] for size in row.shape)
        target_shape = OPERATIONS[row.op].target_shape(shape)
        for source, targets in row_names(row, sizes[table.layers]):
            sources += [source_prefix + name for name in (targets if scheme.identity else (source,))]
            for target in targets:
                entry = Mapped(
                    source_prefix + (target if scheme.identity else source),
                    "" if row.drop else target_prefix + target,
                    target_shape if scheme.identity else shape,
                    target_shape,
                    "keep" if scheme.identity else row.op,
                    row.why,
                    row.drop,
                    row.optional,
                    row.part,
                    missing=row.missing,
                    zeroed=row.zeroed,
                )
                originals.setdefault(source, entry)
                mapped.append(entry)
    further = list(_copies(copies, originals, table, scheme, sizes))
    _check_unique(table, sources + [entry.source for entry in further], "source")
    _check_unique(table, [entry.target for entry in mapped if entry.target], "target")
    return (*mapped, *further)


def _prefixed(table: Table, scheme: Scheme) -> Iterator[tuple[Row, str, str]]:
    """Every row with what stands before its source's and its target's name."""
    for row in table.backbone:
        yield row, scheme.prefix, table.backbone_prefix
    for row in table.head:
        yield row, "", ""


def row_names(row: Row, layers: int) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Source and targets of each tensor of a row, without prefixes."""
    for values in row.source.expand(layers):
        yield row.source.fill(values), tuple(row.source.translate(values, target) for target in row.targets)


def first_names(table: Table, scheme: Scheme, *, head: bool = True) -> Iterator[str]:
    """The names of a class's tensors under this scheme, of the layers only the first one's."""
    for row, prefix, _ in _prefixed(table, scheme):
        if head or row in table.backbone:
            for source, targets in row_names(row, 1):
                yield from (prefix + name for name in (targets if scheme.identity else (source,)))


def _copies(
    rows: list[tuple[Row, str]], originals: Mapping[str, Mapped], table: Table, scheme: Scheme, sizes: Mapping[str, int]
) -> Iterator[Mapped]:
    for row, prefix in rows:
        assert row.same_as is not None
        for values in row.source.expand(sizes[table.layers]):
            original = originals[row.source.translate(values, row.same_as)]
            names = [row.source.fill(values)]
            if scheme.identity:
                names = [row.source.translate(values, target) for target in row.targets]
            for name in names:
                reason = row.why or f"a further copy of {original.source}"
                shape = original.source_shape
                yield Mapped(
                    prefix + name, "", shape, original.target_shape, original.op, row.why, reason, "", row.part,
                    original.source, "" if scheme.identity else row.differs, row.older,
                )  # fmt: skip


def _check_unique(table: Table, names: list[str], what: str) -> None:
    if len(set(names)) != len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise TableError(f"{table.source_class}: {what} named twice: {', '.join(twice[:5])}")


def why_left_out(name: str, table: Table, scheme: Scheme) -> str:
    """Why the output's class has no place for a tensor of the source's class, by its name; '' for any other."""
    for row in table.left_out if not scheme.identity else ():
        prefix = "" if row.head else scheme.prefix
        if name.startswith(prefix) and row.source.matches(name[len(prefix) :]):
            return row.why
    return ""


def matches_row(name: str, table: Table, scheme: Scheme) -> bool:
    """Whether a row of this table could name `name` with numbers of any size: known, if perhaps out of range."""
    pattern = table.patterns.get(scheme)
    if pattern is None:  # Compiled once: a file may have many thousands of names.
        forms = [
            re.escape(prefix) + form.expression
            for row, prefix, _ in _prefixed(table, scheme)
            for form in (row.targets if scheme.identity else (row.source,))
        ]
        pattern = table.patterns[scheme] = re.compile("|".join(f"(?:{form})" for form in dict.fromkeys(forms)))
    return pattern.fullmatch(name) is not None
