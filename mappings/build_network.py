"""Builds the network of a family from network.toml and checks it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.network import POSITION_FORMS, Activation, Attention, Hints, LookupTable, Network
from mappings.toml_files import TableError, check_keys, require_keys


def build_network(data: Mapping[str, Any]) -> Network:
    """The checked network from parsed TOML. Raises TableError."""
    sections = ("groups", "table", "activation", "layer", "end", "attention", "layers", "hints")
    check_keys(data, "network", *sections, "paddle_modules", "position_forms")
    require_keys(data, "network", *sections)
    check_keys(data["layers"], "layers", "module", "paddle", "ends")
    for section, kind in (("attention", Attention), ("hints", Hints)):
        check_keys(data[section], section, *kind.__dataclass_fields__)
        require_keys(data[section], section, *kind.__dataclass_fields__)
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
        hints=Hints(**data["hints"]),
        layer_module=data["layers"]["module"],
        paddle_layer=data["layers"].get("paddle", data["layers"]["module"]),
        paddle_modules=dict(data.get("paddle_modules", {})),
        end_roundings=tuple(data["layers"]["ends"]),
        position_forms=tuple(data.get("position_forms", POSITION_FORMS)),
    )
    _check(network, data["groups"])
    return network


def _activation(row: Mapping[str, Any], where: str) -> Activation:
    check_keys(row, where, *Activation.__dataclass_fields__)
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
    for name in vars(attention).values():
        if name not in parts:
            raise TableError(f"[attention] names {name}, which is no activation of a layer")
    for part in network.layer:
        for other in (part.same_input_as, part.agrees):
            if other and other not in parts:
                raise TableError(f"{part.name} names {other}, which is no activation of a layer")
