"""The facts of each family as data, what reads and checks them, and the operations that they name.

Imports nothing of the other folders.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mappings.family import Family
    from mappings.model_class import ModelClass
    from mappings.quirks import Preset
    from mappings.registry import all_families, find_class, load_family, load_table
    from mappings.tensors.expand import Mapped, expand, matches_row
    from mappings.tensors.ops import OPERATIONS, Operation
    from mappings.tensors.rows import Row, Scheme, Table
    from mappings.toml_files import TableError

__all__ = [
    "OPERATIONS",
    "Family",
    "Mapped",
    "ModelClass",
    "Operation",
    "Preset",
    "Row",
    "Scheme",
    "Table",
    "TableError",
    "all_families",
    "expand",
    "find_class",
    "load_family",
    "load_table",
    "matches_row",
]

_HOMES = {
    "mappings.family": ("Family",),
    "mappings.model_class": ("ModelClass",),
    "mappings.quirks": ("Preset",),
    "mappings.registry": ("all_families", "find_class", "load_family", "load_table"),
    "mappings.tensors.expand": ("Mapped", "expand", "matches_row"),
    "mappings.tensors.ops": ("OPERATIONS", "Operation"),
    "mappings.tensors.rows": ("Row", "Scheme", "Table"),
    "mappings.toml_files": ("TableError",),
}


def __getattr__(name: str) -> Any:
    """Import a name when it is first used: the command line's help needs `mappings.folders` alone."""
    home = next((home for home, names in _HOMES.items() if name in names), None)
    if home is None:
        raise AttributeError(f"module 'mappings' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value
