"""What the names of static-graph variables mean: names/*.toml, read, checked and frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Optional, Union

from mappings.patterns import Pattern
from mappings.tables import SOURCE_CLASSES
from mappings.toml_files import TableError, check_keys, read_toml


@dataclass(frozen=True)
class OfficialName:
    """A name of the 2021 release and PaddleNLP's key. `role`: "weight", "pooler" or "head" (of `source_class`).

    `pooler`: whether the release's programs with this head have a pooler too.
    """

    stored: Pattern
    key: Pattern
    role: str
    source_class: str = ""
    pooler: bool = True
    #: The rules that a checkpoint with this name follows, where not the release's (converter.open.config.quirks).
    behavior: str = ""


@dataclass(frozen=True)
class ExtraName:
    """A weight of pre-training. Without a shape only its form is known; `alone`: not of one set with the others."""

    stored: Pattern
    shape: Optional[tuple[Union[str, int], ...]]
    alone: bool


@dataclass(frozen=True)
class OfficialNames:
    names: tuple[OfficialName, ...]
    extras: tuple[ExtraName, ...]


@dataclass(frozen=True)
class NumberedKind:
    """A kind of layer, and what its instances are in creation order. `parts`: suffix of the variable -> of the key."""

    name: str
    parts: Mapping[str, str]
    begin: tuple[Pattern, ...]
    layer: tuple[Pattern, ...]


@dataclass(frozen=True)
class NumberedHead:
    source_class: str
    keys: tuple[str, ...]
    shape: tuple[Union[str, int], ...]


@dataclass(frozen=True)
class AutomaticNames:
    """`head_kind` is the kind of which the pooler and the heads are: what follows the layers."""

    suffix: Pattern
    kinds: tuple[NumberedKind, ...]
    head_kind: str
    pooler: str
    pooler_shape: tuple[Union[str, int], ...]
    heads: tuple[NumberedHead, ...]


@dataclass(frozen=True)
class LeftOutName:
    stored: Pattern
    why: str


@dataclass(frozen=True)
class ForeignName:
    """A sign of another model: a name that starts, ends and holds this. `says` ends a sentence that NAME begins."""

    says: str
    #: Another program's conversion of a model that this tool converts.
    conversion: bool = False
    starts: str = ""
    ends: str = ""
    holds: str = ""

    def fits(self, name: str) -> bool:
        return name.startswith(self.starts) and name.endswith(self.ends) and self.holds in name


@cache
def load_foreign() -> tuple[ForeignName, ...]:
    data = read_toml("shared", "foreign.toml")
    check_keys(data, "foreign.toml", "foreign")
    for row in data["foreign"]:
        check_keys(row, "foreign", "conversion", "says", "starts", "ends", "holds")
        if not (row.get("starts") or row.get("ends") or row.get("holds")):
            raise TableError("[foreign]: a row that fits every name")
    return tuple(ForeignName(**row) for row in data["foreign"])


@cache
def load_official() -> OfficialNames:
    return build_official(read_toml("ernie_m", "names", "official.toml"))


@cache
def load_automatic() -> AutomaticNames:
    return build_automatic(read_toml("ernie_m", "names", "automatic.toml"))


@cache
def load_left_out() -> tuple[LeftOutName, ...]:
    data = read_toml("shared", "left_out.toml")
    check_keys(data, "left_out.toml", "left_out")
    for row in data["left_out"]:
        check_keys(row, "left_out", "stored", "why")
    return tuple(LeftOutName(Pattern(row["stored"]), row["why"]) for row in data["left_out"])


def build_official(data: dict[str, Any]) -> OfficialNames:
    """Checked names from parsed TOML. Raises TableError."""
    check_keys(data, "official.toml", "weight", "pooler", "head", "extra")
    names = []
    for role in ("weight", "pooler", "head"):
        for row in data[role]:
            check_keys(row, role, "stored", "key", *(["class", "pooler", "behavior"] if role == "head" else []))
            name = OfficialName(
                Pattern(row["stored"]),
                Pattern(row["key"]),
                role,
                row.get("class", ""),
                row.get("pooler", True),
                row.get("behavior", ""),
            )
            if not name.stored.fits(name.key):
                raise TableError(f"{row['stored']} and {row['key']} have different placeholders")
            if name.source_class and name.source_class not in SOURCE_CLASSES:
                raise TableError(f"{row['stored']}: no class {name.source_class}")
            names.append(name)
    extras = []
    for row in data["extra"]:
        check_keys(row, "extra", "stored", "shape", "alone")
        shape = tuple(row["shape"]) if "shape" in row else None
        extras.append(ExtraName(Pattern(row["stored"]), shape, row.get("alone", False)))
    return OfficialNames(tuple(names), tuple(extras))


def build_automatic(data: dict[str, Any]) -> AutomaticNames:
    """Checked names from parsed TOML. Raises TableError."""
    check_keys(data, "automatic.toml", "suffix", "kind", "pooler", "head")
    kinds = []
    for row in data["kind"]:
        check_keys(row, "kind", "name", "parts", "begin", "layer")
        begin, layer = (tuple(map(Pattern, row[part])) for part in ("begin", "layer"))
        if any(key.slots for key in begin) or any(key.slots != ("layer",) for key in layer):
            raise TableError(f"[kind] {row['name']}: {{layer}} belongs into the keys of `layer`, and nothing else")
        kinds.append(NumberedKind(row["name"], row["parts"], begin, layer))
    pooler = data["pooler"]
    check_keys(pooler, "pooler", "kind", "key", "shape")
    if pooler["kind"] not in [kind.name for kind in kinds]:
        raise TableError(f"[pooler]: no kind {pooler['kind']}")
    heads = []
    for row in data["head"]:
        check_keys(row, "head", "class", "keys", "shape")
        if row["class"] and row["class"] not in SOURCE_CLASSES:
            raise TableError(f"[head]: no class {row['class']}")
        heads.append(NumberedHead(row["class"], tuple(row["keys"]), tuple(row["shape"])))
    return AutomaticNames(
        Pattern(data["suffix"]),
        tuple(kinds),
        pooler["kind"],
        pooler["key"],
        tuple(pooler["shape"]),
        tuple(heads),
    )
