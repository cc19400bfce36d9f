"""Which optional rows of a table a checkpoint has: parts that may be missing or are turned off, and further copies."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from converter.files.tensors import SourceTensor
from converter.open.config.config import SourceConfig
from mappings import Mapped, Scheme, Table


def switch_off(mapped: tuple[Mapped, ...], table: Table, config: SourceConfig) -> tuple[Mapped, ...]:
    """The list where each part that the config turns off is dropped, as the source's own class is built without it.

    Where there is no config, what the file has is taken.
    """
    parts = [part for part in table.parts.values() if part.switch and config.kind and not config.get(part.switch)]
    off = {part.name: part.reasons["dropped"] for part in parts}
    return tuple(
        replace(entry, drop=off[entry.part], target="") if entry.part in off and not entry.drop else entry
        for entry in mapped
    )


def parts_without_tensors(mapped: Collection[Mapped], absent: Collection[Mapped], table: Table) -> list[str]:
    """The optional parts of which the output has no tensor: the file lacks them, or they are turned off."""
    written = {entry.part for entry in mapped if not entry.drop}
    left = [entry.part for entry in (*absent, *(entry for entry in mapped if entry.drop and not entry.same_as))]
    return [name for name in dict.fromkeys(left) if name in table.parts and name not in written]


def leave_out_absent(
    mapped: tuple[Mapped, ...], tensors: Mapping[str, SourceTensor]
) -> tuple[tuple[Mapped, ...], tuple[Mapped, ...]]:
    """The list without its optional parts of which all is missing, and these; a half of a part stays an error."""
    there = {entry.part for entry in mapped if entry.optional and entry.source in tensors}
    absent = tuple(entry for entry in mapped if entry.optional and entry.part not in there)
    return tuple(entry for entry in mapped if entry not in set(absent)), absent


def take_copies(mapped: tuple[Mapped, ...], tensors: Mapping[str, SourceTensor]) -> tuple[Mapped, ...]:
    """The list with each further copy that is there; where the tensor that it is a copy of is missing, in its place."""
    instead = {m.same_as: m for m in reversed(mapped) if m.same_as and m.source in tensors and m.same_as not in tensors}
    taken = []
    for entry in mapped:
        if entry.source in instead:
            taken.append(replace(entry, source=instead[entry.source].source))
        elif not entry.same_as or (entry.source in tensors and instead.get(entry.same_as) is not entry):
            other = instead.get(entry.same_as)
            taken.append(replace(entry, same_as=other.source) if other is not None else entry)
    return tuple(taken)


def split_surplus(
    tensors: Mapping[str, SourceTensor], table: Table, scheme: Scheme, config: SourceConfig, layers: int
) -> tuple[Mapping[str, SourceTensor], Mapping[str, SourceTensor]]:
    """The tensors, and those of layers beyond the config's, where the family has files that hold such layers."""
    if not config.family.layer_size.surplus:
        return tensors, {}
    rows = [row for row in table.backbone if "layer" in row.source.slots]
    patterns = [form for row in rows for form in (row.targets if scheme.identity else (row.source,))]

    def is_surplus(name: str) -> bool:
        bare = name[len(scheme.prefix) :] if name.startswith(scheme.prefix) else ""
        found = ((pattern, pattern.match(bare)) for pattern in patterns)
        return any(values and int(values[pattern.slots.index("layer")]) >= layers for pattern, values in found)

    surplus = {name: tensor for name, tensor in tensors.items() if is_surplus(name)}
    return {name: tensor for name, tensor in tensors.items() if name not in surplus}, surplus
