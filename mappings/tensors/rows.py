"""A family's tensors.toml: the rows of the backbone and of each class's head, checked as they are read, and frozen.

A row names a source tensor (PaddleNLP's name), its target (that of the output's class), the source's shape in sizes of
the family, the operation, and why.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from mappings.tensors.ops import OPERATIONS
from mappings.tensors.patterns import Pattern
from mappings.toml_files import TableError, check_keys, require_keys

#: What a class does with a part of the rows: it must be there, may be missing as a whole, or is left out.
STATES = ("needed", "optional", "dropped")


@dataclass(frozen=True)
class Row:
    """One line of a table. `{a,b}` in a name stands for each of them, the target's in the same places; `{layer}` for
    the number of every layer. With several targets the tensor is written more than once.

    `part`: rows that are there or missing together. With `drop` set the source is known and left out, for that reason;
    with `optional` it may be missing, which that text explains. `same_as`: this is a further copy of that source: not
    written, it must be equal, and it is taken where the other is missing; its targets are further copies in the
    target's class. `differs`: the warning of one that is not equal, where PaddleNLP computes with the other. `older`: a
    copy that only files of earlier releases have. `zeroed`: the config's field with the row of the table for which
    Paddle's lookup gives zeros, whatever the row holds.
    """

    source: Pattern
    targets: tuple[Pattern, ...]
    shape: tuple[str | int, ...]
    op: str
    why: str = ""
    part: str = ""
    drop: str = ""
    optional: str = ""
    same_as: Pattern | None = None
    differs: str = ""
    older: bool = False
    zeroed: str = ""
    #: Why the class is not converted without it, and the next step.
    missing: str = ""


@dataclass(frozen=True)
class Scheme:
    """A way in which files name the tensors of a class: the prefix that stands before those of the backbone.

    With `identity` they have the targets' names and shapes already, and every tensor is kept as it is.
    """

    name: str
    prefix: str
    identity: bool = False


@dataclass(frozen=True)
class Part:
    """Rows that belong together. `missing`: why a class that needs the part is not converted without it, and the next
    step. `absent`: fields of the output's config.json where the part is missing. `switch`: the
    config's field that is false where the class is built without the part, whatever the file holds."""

    name: str
    reasons: Mapping[str, str]
    usual: str
    absent: Mapping[str, Any]
    switch: str = ""
    missing: str = ""


@dataclass(frozen=True)
class LeftOut:
    """Source tensors, of any shape, that the source's class has and the output's has no place for, and why that changes
    none of its outputs. `head`: their names have no prefix."""

    source: Pattern
    why: str
    head: bool = False


@dataclass(frozen=True)
class Table:
    """The rows of one class. Backbone names carry no prefix: `backbone_prefix` is the target's, a scheme has the
    source's. `layers`: the size that counts the layers."""

    family: str
    source_class: str
    target_class: str
    version: int
    layers: str
    backbone: tuple[Row, ...]
    head: tuple[Row, ...]
    backbone_prefix: str
    schemes: tuple[Scheme, ...]
    parts: Mapping[str, Part] = field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()

    @cached_property
    def patterns(self) -> dict[Scheme, re.Pattern[str]]:
        """What `matches_row` compiled, by scheme."""
        return {}


@dataclass(frozen=True)
class TensorFacts:
    """What build_tables needs to know of the family: its name, the backbone's attribute in the output and in Paddle,
    the size that counts layers, all sizes, and PaddleNLP's name -> the target's of every class, of which `base` has no
    head."""

    family: str
    backbone: str
    source_backbone: str
    layers: str
    sizes: Collection[str]
    classes: Mapping[str, str]
    base: str


def build_tables(data: Mapping[str, Any], facts: TensorFacts) -> dict[str, Table]:
    """PaddleNLP's class -> its checked table, from parsed TOML. Raises TableError."""
    check_keys(data, "tensors", "version", "scheme", "part", "tensor", "class", "left_out")
    require_keys(data, "tensors", "version", "scheme", "tensor", "class")
    parts = {name: _part(name, row) for name, row in data.get("part", {}).items()}
    backbone = [_row(row, facts, parts) for row in data["tensor"]]
    tables: dict[str, Table] = {}
    for entry in data["class"]:
        check_keys(entry, "class", "source", "parts", "scheme", "tensor", "tensors_of", "left_out")
        require_keys(entry, "class", "source")
        source_class = entry["source"]
        if source_class in tables or source_class not in facts.classes:
            raise TableError(f"tensors: {source_class} stands twice, or is no class of {facts.family}")
        states = {name: part.usual for name, part in parts.items()}
        states.update(entry.get("parts", {}))
        is_base = source_class == facts.base
        prefix, source_prefix = ("", "") if is_base else (f"{facts.backbone}.", f"{facts.source_backbone}.")
        schemes = [_scheme(scheme, source_prefix, prefix) for scheme in (*data["scheme"], *entry.get("scheme", []))]
        tables[source_class] = table = Table(
            family=facts.family,
            source_class=source_class,
            target_class=facts.classes[source_class],
            version=data["version"],
            layers=facts.layers,
            backbone=tuple(_in_state(row, states, parts) for row in backbone),
            head=(*_head_of(entry, tables), *(_row(row, facts, parts) for row in entry.get("tensor", []))),
            backbone_prefix=prefix,
            schemes=tuple(sorted(schemes, key=lambda scheme: scheme.identity)),
            parts={name: part for name, part in parts.items() if states[name] == "optional"},
            left_out=(
                *(_left_out(row) for row in data.get("left_out", [])),
                *(_left_out(row, head=True) for row in entry.get("left_out", [])),
            ),
        )
        _check(table, states, parts)
    lacking = [name for name in facts.classes if name not in tables]
    if lacking:
        raise TableError(f"tensors: no class {', '.join(lacking)}")
    return tables


def _head_of(entry: Mapping[str, Any], tables: Mapping[str, Table]) -> tuple[Row, ...]:
    """The rows of the class before whose head this class has too."""
    other = entry.get("tensors_of")
    if other is None:
        return ()
    if other not in tables:
        raise TableError(f"{entry['source']}: `tensors_of` names {other}, which is no class before it")
    return tables[other].head


def _part(name: str, row: Mapping[str, Any]) -> Part:
    check_keys(row, f"part {name}", "usual", "optional", "dropped", "absent", "switch", "missing")
    reasons = {state: row[state] for state in ("optional", "dropped") if state in row}
    return Part(
        name, reasons, row.get("usual", "needed"), row.get("absent", {}), row.get("switch", ""), row.get("missing", "")
    )


def _row(data: Mapping[str, Any], facts: TensorFacts, parts: Mapping[str, Part]) -> Row:
    check_keys(
        data, "tensor", "source", "target", "shape", "op", "why", "part", "same_as", "differs", "older", "zeroed"
    )
    require_keys(data, "tensor", "source", *(() if "same_as" in data else ("target", "shape", "op")))
    if "same_as" in data and ("shape" in data or "op" in data):
        raise TableError(f"{data['source']}: a copy has the shape and the operation of what it is the same as")
    if ("differs" in data or "older" in data) and "same_as" not in data:
        raise TableError(
            f"{data['source']}: only a copy may differ from what it is the same as, or be an older name of it"
        )
    source, targets = Pattern(data["source"]), data.get("target", ())
    row = Row(
        source=source,
        targets=tuple(map(Pattern, [targets] if isinstance(targets, str) else targets)),
        shape=tuple(data.get("shape", ())),
        op=data.get("op", "keep"),
        why=data.get("why", ""),
        part=data.get("part", ""),
        same_as=Pattern(data["same_as"]) if "same_as" in data else None,
        differs=data.get("differs", ""),
        older=data.get("older", False),
        zeroed=data.get("zeroed", ""),
    )
    _check_row(row, facts, parts)
    return row


def _check_row(row: Row, facts: TensorFacts, parts: Mapping[str, Part]) -> None:
    name = row.source.text
    for other in (*row.targets, *([row.same_as] if row.same_as else [])):
        if not row.source.fits(other):
            raise TableError(f"{name} and {other.text} have different placeholders")
    if any("," not in slot and slot != "layer" for slot in row.source.slots):
        raise TableError(f"{name}: a placeholder is {{layer}} or a choice")
    if row.part and row.part not in parts:
        raise TableError(f"{name}: no part {row.part!r}")
    if row.same_as is not None:
        return
    if row.op not in OPERATIONS:
        raise TableError(f"{name}: unknown op {row.op!r}")
    if len(row.shape) not in OPERATIONS[row.op].ranks:
        raise TableError(f"{name}: {row.op} takes no {len(row.shape)}-d tensor")
    for size in row.shape:
        if isinstance(size, str) and size != "num_labels" and size not in facts.sizes:
            raise TableError(f"{name}: {size} is no size of {facts.family}")


def _left_out(data: Mapping[str, Any], *, head: bool = False) -> LeftOut:
    check_keys(data, "left_out", "source", "why")
    require_keys(data, "left_out", "source", "why")
    return LeftOut(Pattern(data["source"]), data["why"], head)


def _scheme(data: Mapping[str, Any], source_prefix: str, prefix: str) -> Scheme:
    check_keys(data, "scheme", "name", "prefix", "identity")
    identity = data.get("identity", False)
    if identity and "prefix" in data:
        raise TableError(f"scheme {data['name']}: names that are the target's have its prefix")
    given = prefix if identity else data.get("prefix", source_prefix)
    return Scheme(data["name"], given if prefix else "", identity)


def _in_state(row: Row, states: Mapping[str, str], parts: Mapping[str, Part]) -> Row:
    """The row as a class has it: needed, optional or dropped."""
    if not row.part or states[row.part] == "needed":
        return replace(row, missing=parts[row.part].missing) if row.part else row
    reason = parts[row.part].reasons.get(states[row.part], "")
    return replace(row, drop=reason) if states[row.part] == "dropped" else replace(row, optional=reason)


def _check(table: Table, states: Mapping[str, str], parts: Mapping[str, Part]) -> None:
    for name, state in states.items():
        if name not in parts or state not in STATES:
            raise TableError(f"{table.source_class}: no part {name!r} that is {state!r}")
        if parts[name].switch and (state != "optional" or not parts[name].reasons.get("dropped")):
            raise TableError(
                f"{table.source_class}: part {name!r} has a switch: it is optional, with a reason to drop it"
            )
        if state != "needed" and not parts[name].reasons.get(state):
            raise TableError(f"{table.source_class}: part {name!r} is {state} and nothing gives the reason")
    if len({(scheme.prefix, scheme.identity) for scheme in table.schemes}) != len(table.schemes) or not table.schemes:
        raise TableError(f"{table.source_class}: name schemes must differ, and there must be one")
    named = {row.source.text for row in (*table.backbone, *table.head) if row.same_as is None}
    for row in (*table.backbone, *table.head):
        if row.same_as is not None and row.same_as.text not in named:
            raise TableError(f"{row.source.text}: no row {row.same_as.text} that it could be the same as")
