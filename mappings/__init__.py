"""Which tensor becomes which, and why: tables in tables/*.toml, what reads them, and the operations that they name."""

from __future__ import annotations

from mappings.expand import Mapped, expand, matches_row
from mappings.ops import OPERATIONS, Operation
from mappings.tables import SOURCE_CLASSES, Row, Scheme, Table, load_table
from mappings.toml_files import TableError

__all__ = [
    "OPERATIONS",
    "SOURCE_CLASSES",
    "Mapped",
    "Operation",
    "Row",
    "Scheme",
    "Table",
    "TableError",
    "expand",
    "load_table",
    "matches_row",
]
