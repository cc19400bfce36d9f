"""The network of a family as it is compared: its activations in the order in which they are computed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mappings.toml_files import TableError, check_keys, require_keys

#: What `roundings` may name besides sizes of the config.
STEPS = ("norm", "elementary", "positions")


@dataclass(frozen=True)
class Activation:
    """One activation. `module`: that of the PyTorch model, from the encoder on (of a layer: from the layer on), whose
    output it is, or with `input` what goes into it; without one it is an output of the model.

    `roundings`: the sizes over which sums are rounded since the activation before. `beside`: an activation that is
    computed from the same input. `norm`, `linear`: the module of that kind that computes it last. `sigmoid_of`: Paddle
    returns the sigmoid of that output. `hint`: where to look when this is the first that differs.
    """

    name: str
    module: str = ""
    input: bool = False
    group: str = ""
    roundings: tuple[str, ...] = ()
    beside: str = ""
    norm: str = ""
    linear: str = ""
    sigmoid_of: str = ""
    hint: str = ""


@dataclass(frozen=True)
class LookupTable:
    """An embedding that is compared row by row. `rows`: what its rows are."""

    name: str
    module: str
    rows: str


@dataclass(frozen=True)
class Attention:
    """The activations that the attention of a layer is made of."""

    query: str
    key: str
    value: str
    gathered: str


@dataclass(frozen=True)
class Network:
    """Embeddings, the activations of one layer, and what follows the last layer, each in order."""

    tables: tuple[LookupTable, ...]
    begin: tuple[Activation, ...]
    layer: tuple[Activation, ...]
    ends: tuple[Activation, ...]
    attention: Attention
    #: The module of a layer, with {layer} for its number.
    layer_module: str
    #: Roundings from the last layer to any output.
    end_roundings: tuple[str, ...]

    @cached_property
    def end_names(self) -> tuple[str, ...]:
        return tuple(end.name for end in self.ends)

    @cached_property
    def table_names(self) -> tuple[str, ...]:
        return tuple(table.name for table in self.tables)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        outputs = "|".join(re.escape(part.name) for part in self.layer if not part.module)
        return re.compile(rf"(?:layers\.(\d+)\.(.+)|({outputs})\.(\d+))")

    def place_in_layer(self, name: str) -> tuple[int, Activation | None] | None:
        """The layer that an activation belongs to (from 0) and which of the layer's it is; None outside the layers.

        `hidden_states.N` is the state after layer N - 1; `hidden_states.0` is none of a layer.
        """
        match = self._pattern.fullmatch(name)
        if match is None or name in (entry.name for entry in self.begin):
            return None
        part = next((entry for entry in self.layer if entry.name == (match[2] or match[3])), None)
        number = int(match[1] or match[4])
        return (number - 1 if part is self.layer[-1] else number), part

    def module_of(self, name: str) -> tuple[str, bool]:
        """The PyTorch module of an activation, from the encoder on, and whether the activation is its input; an empty
        name for an output of the model."""
        outside = next((entry for entry in (*self.begin, *self.ends) if entry.name == name), None)
        if outside is not None:
            return outside.module, outside.input
        place = self.place_in_layer(name)
        if place is None or not name.startswith("layers."):
            return "", False
        number, part = place
        module = name.split(".", 2)[2] if part is None else part.module
        return f"{self.layer_module.format(layer=number)}.{module}", part is not None and part.input

    @cached_property
    def paddle_parts(self) -> Mapping[str, str]:
        """Module of a layer in PyTorch -> in Paddle, where they differ."""
        return {
            part.module: part.name for part in self.layer if part.module and not part.input and part.module != part.name
        }


def build_network(data: Mapping[str, Any]) -> Network:
    """The checked network from parsed TOML. Raises TableError."""
    check_keys(data, "network", "groups", "table", "activation", "layer", "end", "attention", "layers")
    require_keys(data, "network", "groups", "table", "activation", "layer", "end", "attention", "layers")
    check_keys(data["layers"], "layers", "module", "ends")
    check_keys(data["attention"], "attention", "query", "key", "value", "gathered")
    tables = []
    for row in data["table"]:
        check_keys(row, "table", "name", "module", "rows")
        tables.append(LookupTable(**row))
    network = Network(
        tables=tuple(tables),
        begin=tuple(_activation(row, "activation") for row in data["activation"]),
        layer=tuple(_activation(row, "layer") for row in data["layer"]),
        ends=tuple(_activation(row, "end") for row in data["end"]),
        attention=Attention(**data["attention"]),
        layer_module=data["layers"]["module"],
        end_roundings=tuple(data["layers"]["ends"]),
    )
    _check(network, data["groups"])
    return network


def _activation(row: Mapping[str, Any], where: str) -> Activation:
    known = ("name", "module", "input", "group", "roundings", "beside", "norm", "linear", "sigmoid_of", "hint")
    check_keys(row, where, *known)
    require_keys(row, where, "name")
    return Activation(**{**row, "roundings": tuple(row.get("roundings", ()))})


def _check(network: Network, groups: list[str]) -> None:
    parts = [part.name for part in network.layer]
    names = [entry.name for entry in (*network.begin, *network.ends)]
    for entries in (parts, names, [table.name for table in network.tables]):
        if len(set(entries)) != len(entries):
            raise TableError(f"an activation is named twice: {', '.join(entries)}")
    for entry in (*network.begin, *network.ends):
        if entry.group not in groups:
            raise TableError(f"{entry.name}: no group {entry.group!r}")
    attention = network.attention
    for name in (attention.query, attention.key, attention.value, attention.gathered):
        if name not in parts:
            raise TableError(f"[attention] names {name}, which is no activation of a layer")
    for part in network.layer:
        if part.beside and part.beside not in parts:
            raise TableError(f"{part.name} is beside {part.beside}, which is no activation of a layer")
