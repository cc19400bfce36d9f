"""Tensors that no table knows inside modules that the class has: an adapter, a quantiser's scale, a further bias.

What PaddleNLP leaves out of a state dict is a head or a counter as long as its name lies next to the class's modules.
Inside one of them it changes what the module computes, and the weights alone are another model.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from converter.common.errors import Problem, fold_names
from converter.files.tensors import SourceTensor
from converter.plan.check_names import NUMBER
from mappings import Family, Scheme, Table
from mappings.modules import backbone_modules, child_names, is_inner_variable, module_names
from mappings.names.inner import InnerKind, load_inner

CODE = "E110"
OPTION = "--allow-unknown-tensors"
#: The key of the manifest and of a report under which these tensors are recorded: a list of their names and kinds.
LEFT_INSIDE = "left_inside"
#: Why a tensor is left out, in a manifest: what lies next to the class's modules, and what lies inside one.
UNKNOWN, INSIDE = "no row of any table knows this name", "inside a module of the class"
#: Parts of a name of the backbone, and some of a wrapper's.
_DEEPEST = 12


@dataclass(frozen=True)
class InnerTensor:
    """A tensor inside a module, and the kind that its name shows."""

    name: str
    kind: str

    @property
    def reason(self) -> str:
        return f"{INSIDE} ({self.kind})"


def find_inner(
    names: Iterable[str], family: Family, table: Table, scheme: Scheme, variables: Collection[str] = ()
) -> tuple[InnerTensor, ...]:
    """Those of the unknown names that lie inside a module of the class. `variables`: names that a static graph gave."""
    children, modules = child_names(table, scheme), module_names(table, scheme)
    found = []
    for name in names:
        kind = load_inner().recognise(name)
        inside = name.partition(".")[0] in children or _is_in_backbone(name, family)
        if name in variables:  # Flat names: what is recognised among them lies in no part that is known.
            inside = inside or kind is not None or is_inner_variable(name, family, table.source_class)
        if inside or (kind is not None and _is_of_the_class(name, kind, children, family)):
            found.append(InnerTensor(name, (kind or _plain_kind(name, modules)).name))
    return tuple(found)


def _is_in_backbone(name: str, family: Family) -> bool:
    """Whether a name lies in one of the backbone's modules as any scheme names it, that of another class too."""
    parts = NUMBER.sub("0", name).split(".")
    modules = backbone_modules(family)
    return any(".".join(parts[:count]) in modules for count in range(1, min(len(parts), _DEEPEST) + 1))


def _is_of_the_class(name: str, kind: InnerKind, children: Collection[str], family: Family) -> bool:
    """Whether what is recognised changes the class, though its name does not begin with one of its modules'.

    An adapter's wrapper may stand before the module (base_model.model.encoder.layers.0...lora_A). One in a head of its
    own changes that head alone.
    """
    heads = {*children, *(module.partition(".")[0] for module in backbone_modules(family))}
    return kind.anywhere or (kind.adapter and any(part in heads for part in name.split(".")[:-1]))


def variable_names(tensors: Mapping[str, SourceTensor]) -> set[str]:
    """The tensors that go by the name of a variable, for nothing gave them another."""
    return {name for name, tensor in tensors.items() if tensor.stored_as == name}


def _plain_kind(name: str, modules: Collection[str]) -> InnerKind:
    """For a name inside a module that no row recognises."""
    module, _, last = name.rpartition(".")
    is_bias = last == "bias" and NUMBER.sub("0", module) in modules
    return load_inner().bias if is_bias else load_inner().other


def refuse_inner(found: Collection[InnerTensor], table: Table) -> list[Problem]:
    """A problem for each kind."""
    return [
        Problem(
            CODE,
            f"{fold_names(names)}: {kind.name}, by the names, inside modules of {table.source_class}. {kind.doubt}. "
            f"{kind.advice}; {OPTION} leaves them out",
        )
        for kind, names in _by_kind(found).items()
    ]


def refuse_adapters(names: Iterable[str]) -> list[Problem]:
    """For names of no known scheme: the adapters among them, for their wrapper may be why."""
    found = ((name, load_inner().recognise(name)) for name in names)
    adapters = [InnerTensor(name, kind.name) for name, kind in found if kind is not None and kind.adapter]
    return [
        Problem(CODE, f"{fold_names(listed)}: {kind.name}, by the names. {kind.doubt}. {kind.advice}")
        for kind, listed in _by_kind(adapters).items()
    ]


def warn_left_out(found: Collection[InnerTensor], table: Table) -> list[str]:
    """What was left out on request, and what that means."""
    return [
        f"left out on request ({OPTION}), though inside modules of {table.source_class}: {fold_names(names)}: "
        f"{kind.name}, by the names. {kind.doubt}. OUTPUT is the model without them"
        for kind, names in _by_kind(found).items()
    ]


def read_left_inside(record: Mapping[str, Any] | None) -> dict[str, str]:
    """Name -> kind of the tensors that a manifest or a report records; what is no such record records nothing."""
    entries = (record or {}).get(LEFT_INSIDE)
    rows = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return {str(row["source"]): str(row.get("kind", "")) for row in rows if isinstance(row.get("source"), str)}


def count_left_inside(left: Mapping[str, str]) -> str:
    """How many, and of which kinds, for a sentence."""
    kinds = ", ".join(dict.fromkeys(kind for kind in left.values() if kind)) or load_inner().other.name
    return f"{len(left)} tensor{'' if len(left) == 1 else 's'} inside its modules ({kinds})"


def left_inside_paragraph(*records: Mapping[str, Any] | None) -> str:
    """The paragraph of a card about what the manifest or a report records as left out; nothing where nothing is."""
    left = {name: kind for record in records for name, kind in read_left_inside(record).items()}
    if not left:
        return ""
    names = "".join(letter for letter in fold_names(left) if letter.isprintable() and letter not in "`<>")
    return f"""

**Not the whole checkpoint.** Left out on request (`{OPTION}`): {count_left_inside(left)}:
`{names}`.
Whether the weights hold what these do cannot be known from the file: this is the model without them."""


def _by_kind(found: Iterable[InnerTensor]) -> dict[InnerKind, list[str]]:
    known = load_inner()
    kinds = {kind.name: kind for kind in (*known.kinds, known.bias, known.other)}
    grouped: dict[InnerKind, list[str]] = {}
    for tensor in found:
        grouped.setdefault(kinds[tensor.kind], []).append(tensor.name)
    return grouped
