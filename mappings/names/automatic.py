"""What Paddle's numbered names (`linear_7.w_0`) mean: FAMILY/names/automatic.toml, checked and frozen."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Union

from mappings.tensors.patterns import Pattern
from mappings.toml_files import TableError, check_keys, require_keys

Shape = tuple[Union[str, int], ...]


@dataclass(frozen=True)
class NumberedKind:
    """A kind of layer, and what its instances are in creation order. `parts`: suffix of the variable -> of the key
    ("": the key is the whole name). `optional`: what follows those of `begin` and `layer` in some models."""

    name: str
    parts: Mapping[str, str]
    begin: tuple[Pattern, ...]
    layer: tuple[Pattern, ...]
    optional: tuple[str, ...] = ()

    def key(self, module: str, part: str) -> str:
        return f"{module}.{self.parts[part]}" if self.parts[part] else module


@dataclass(frozen=True)
class NumberedHead:
    """What follows the layers in a class ("": the names and shapes do not show which): `keys` of the kind of the heads,
    each with the shape of its weight, or of its bias where that alone is stored; `further`: of other kinds.
    `description`: it in words."""

    source_class: str
    keys: tuple[str, ...]
    shapes: tuple[Shape, ...]
    description: str
    further: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class AutomaticNames:
    """`head_kind` is the kind of which the pooler and the heads are: what follows the layers. A family without such
    names has no kinds; one without a pooler no `pooler`."""

    suffix: Pattern
    kinds: tuple[NumberedKind, ...] = ()
    head_kind: str = ""
    pooler: str = ""
    pooler_shape: Shape = ()
    heads: tuple[NumberedHead, ...] = ()

    @property
    def has_lone_biases(self) -> bool:
        """Whether a head has a layer of which only the bias is stored."""
        return any(len(shape) == 1 for head in self.heads for shape in head.shapes)

    def further_counts(self, kind: str) -> set[int]:
        """How many of a kind may follow the layers: those of a head, or none."""
        return {0, *(len(head.further.get(kind, ())) for head in self.heads)}


def build_automatic(data: Mapping[str, Any], classes: Collection[str]) -> AutomaticNames:
    """Checked names from parsed TOML, for a family with these classes. Raises TableError."""
    check_keys(data, "automatic.toml", "suffix", "kind", "head_kind", "pooler", "head")
    require_keys(data, "automatic.toml", "suffix", "kind", "head_kind", "head")
    kinds = tuple(_kind(row) for row in data["kind"])
    names = [kind.name for kind in kinds]
    if data["head_kind"] not in names:
        raise TableError(f"automatic.toml: no kind {data['head_kind']}")
    pooler = data.get("pooler", {"key": "", "shape": []})
    check_keys(pooler, "pooler", "key", "shape")
    return AutomaticNames(
        Pattern(data["suffix"]),
        kinds,
        data["head_kind"],
        pooler["key"],
        tuple(pooler["shape"]),
        tuple(_head(row, names, classes) for row in data["head"]),
    )


def _kind(row: Mapping[str, Any]) -> NumberedKind:
    check_keys(row, "kind", "name", "parts", "begin", "layer", "optional")
    begin, layer = (tuple(map(Pattern, row[part])) for part in ("begin", "layer"))
    if any(key.slots for key in begin) or any(key.slots != ("layer",) for key in layer):
        raise TableError(f"[kind] {row['name']}: {{layer}} belongs into the keys of `layer`, and nothing else")
    return NumberedKind(row["name"], row["parts"], begin, layer, tuple(row.get("optional", ())))


def _head(row: Mapping[str, Any], kinds: Collection[str], classes: Collection[str]) -> NumberedHead:
    check_keys(row, "head", "class", "keys", "shapes", "further", "description")
    if row["class"] and row["class"] not in classes:
        raise TableError(f"[head]: no class {row['class']}")
    if len(row["keys"]) != len(row["shapes"]):
        raise TableError(f"[head] {row['class']}: {len(row['keys'])} keys and {len(row['shapes'])} shapes")
    unknown = sorted(set(row.get("further", {})) - set(kinds))
    if unknown:
        raise TableError(f"[head] {row['class']}: no kind {', '.join(unknown)}")
    further = {kind: tuple(keys) for kind, keys in row.get("further", {}).items()}
    shapes = tuple(tuple(shape) for shape in row["shapes"])
    return NumberedHead(row["class"], tuple(row["keys"]), shapes, row.get("description", ""), further)
