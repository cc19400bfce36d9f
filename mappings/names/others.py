"""Names that are no weights of a model here: signs of other models (of a family), variables of a training (of none)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from mappings.tensors.patterns import Pattern
from mappings.toml_files import TableError, check_keys, read_toml


@dataclass(frozen=True)
class ForeignName:
    """A sign of another model: a name that starts, ends and holds this. In messages `description` follows the name."""

    description: str
    #: Another program's conversion of a model that this tool converts.
    conversion: bool = False
    starts: str = ""
    ends: str = ""
    holds: str = ""

    def fits(self, name: str) -> bool:
        return name.startswith(self.starts) and name.endswith(self.ends) and self.holds in name


@dataclass(frozen=True)
class RenamedName:
    """A name of another program's conversion, and that of the target's class. `needs`: a name that a file of these has.
    `known`: only where the family is known otherwise."""

    stored: Pattern
    key: Pattern
    by: str
    needs: str = ""
    known: bool = False


@dataclass(frozen=True)
class ForeignNames:
    """`buffers`: names of what the target's class makes by itself."""

    signs: tuple[ForeignName, ...] = ()
    renamed: tuple[RenamedName, ...] = ()
    buffers: tuple[Pattern, ...] = ()


@dataclass(frozen=True)
class LeftOutName:
    stored: Pattern
    why: str


def build_foreign(data: Mapping[str, Any]) -> ForeignNames:
    """Checked names from parsed TOML: FAMILY/names/foreign.toml. Raises TableError."""
    check_keys(data, "foreign.toml", "foreign", "renamed", "buffer")
    for row in data.get("foreign", []):
        check_keys(row, "foreign", "conversion", "description", "starts", "ends", "holds")
        if not (row.get("starts") or row.get("ends") or row.get("holds")):
            raise TableError("[foreign]: a row that fits every name")
    renamed = []
    for row in data.get("renamed", []):
        check_keys(row, "renamed", "stored", "key", "by", "needs", "known")
        found = RenamedName(**{**row, "stored": Pattern(row["stored"]), "key": Pattern(row["key"])})
        if not found.stored.fits(found.key):
            raise TableError(f"{row['stored']} and {row['key']} have different placeholders")
        renamed.append(found)
    for row in data.get("buffer", []):
        check_keys(row, "buffer", "stored")
    return ForeignNames(
        tuple(ForeignName(**row) for row in data.get("foreign", [])),
        tuple(renamed),
        tuple(Pattern(row["stored"]) for row in data.get("buffer", [])),
    )


@cache
def load_left_out() -> tuple[LeftOutName, ...]:
    """shared/left_out.toml. Raises TableError."""
    data = read_toml("shared", "left_out.toml")
    check_keys(data, "left_out.toml", "left_out")
    for row in data["left_out"]:
        check_keys(row, "left_out", "stored", "why")
    return tuple(LeftOutName(Pattern(row["stored"]), row["why"]) for row in data["left_out"])
