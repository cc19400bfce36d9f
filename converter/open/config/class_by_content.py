"""The class of a checkpoint whose config names none, by the head that its file holds."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from converter.common.errors import fold_names
from converter.files.tensors import TensorSet
from converter.open.config.config import SourceConfig
from mappings import Scheme, Table, matches_row
from mappings.tensors.expand import row_names


def with_class_by_content(config: SourceConfig, tensors: TensorSet) -> SourceConfig:
    """The config with the class whose head the file holds whole; the model itself where it holds none, or a head that
    is not whole, with a warning. As it is where a class is known, or the head could be another class's."""
    family, identity = config.family, tensors.naming == "transformers"
    if config.architecture is not None or family.by_content is None:
        return config
    prefixes = {scheme.prefix for table in family.tables.values() for scheme in table.schemes}
    probe = family.probe_of(identity)
    prefix = next((one for one in sorted(prefixes) if one + probe in tensors.tensors), None)
    if prefix is None:
        return config
    inside = Scheme("", prefix, identity)
    head = [
        name
        for name in tensors.tensors
        if not (name.startswith(prefix) if prefix else matches_row(name, family.base_table, inside))
    ]
    tables = [family.tables[name] for name in family.by_content]
    whole = next((table for table in tables if prefix and _is_whole(table, head, identity)), None)
    if whole is not None:
        return replace(config, architecture=whole.source_class, class_from="content")
    if not all(any(_is_of_head(name, table, identity) for table in tables) for name in head):
        return config
    base, warnings = family.base_class.source, config.warnings
    if head:
        text = f"{fold_names(head)}: a part of a head is none, and no config names a class: {base} is taken"
        warnings = (*warnings, text)
    return replace(config, architecture=base, class_from="content", warnings=warnings)


def _is_of_head(name: str, table: Table, identity: bool) -> bool:
    rows = [form for row in table.head for form in (row.targets if identity else (row.source,))]
    return any(form.matches(name) for form in rows)


def _is_whole(table: Table, names: Collection[str], identity: bool) -> bool:
    """Whether every tensor of the class's head is there, or a further copy of it, and no other."""
    copies = {row.same_as.text: row.source.text for row in table.head if row.same_as is not None}
    for row in table.head:
        if row.same_as is not None:
            continue
        for source, targets in row_names(row, 0):
            found = targets if identity else (source, copies.get(source, source))
            if not any(name in names for name in found):
                return False
    return all(_is_of_head(name, table, identity) for name in names)
