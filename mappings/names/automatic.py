"""What Paddle's numbered names (`linear_7.w_0`) mean: FAMILY/names/automatic.toml, checked and frozen."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Union

from mappings.tensors.patterns import Pattern
from mappings.toml_files import TableError, check_keys, require_keys


@dataclass(frozen=True)
class NumberedKind:
    """A kind of layer, and what its instances are in creation order. `parts`: suffix of the variable -> of the key."""

    name: str
    parts: Mapping[str, str]
    begin: tuple[Pattern, ...]
    layer: tuple[Pattern, ...]


@dataclass(frozen=True)
class NumberedHead:
    """What follows the layers in a class ("": the names and shapes do not show which). `description`: it in words."""

    source_class: str
    keys: tuple[str, ...]
    shape: tuple[Union[str, int], ...]
    description: str


@dataclass(frozen=True)
class AutomaticNames:
    """`head_kind` is the kind of which the pooler and the heads are: what follows the layers. A family without such
    names has no kinds."""

    suffix: Pattern
    kinds: tuple[NumberedKind, ...] = ()
    head_kind: str = ""
    pooler: str = ""
    pooler_shape: tuple[Union[str, int], ...] = ()
    heads: tuple[NumberedHead, ...] = ()


def build_automatic(data: Mapping[str, Any], classes: Collection[str]) -> AutomaticNames:
    """Checked names from parsed TOML, for a family with these classes. Raises TableError."""
    check_keys(data, "automatic.toml", "suffix", "kind", "pooler", "head")
    require_keys(data, "automatic.toml", "suffix", "kind", "pooler", "head")
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
        check_keys(row, "head", "class", "keys", "shape", "description")
        if row["class"] and row["class"] not in classes:
            raise TableError(f"[head]: no class {row['class']}")
        heads.append(NumberedHead(row["class"], tuple(row["keys"]), tuple(row["shape"]), row.get("description", "")))
    return AutomaticNames(
        Pattern(data["suffix"]),
        tuple(kinds),
        pooler["kind"],
        pooler["key"],
        tuple(pooler["shape"]),
        tuple(heads),
    )
