"""The facts of each family as data, what reads and checks them, and the operations that they name.

Imports nothing of the other folders.
"""

from __future__ import annotations

from mappings.family import Family, ModelClass, Preset
from mappings.registry import SOURCE_CLASSES, all_families, find_class, load_family, load_table
from mappings.tensors.expand import Mapped, expand, matches_row
from mappings.tensors.ops import OPERATIONS, Operation
from mappings.tensors.rows import Row, Scheme, Table
from mappings.toml_files import TableError

__all__ = [
    "OPERATIONS",
    "SOURCE_CLASSES",
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
