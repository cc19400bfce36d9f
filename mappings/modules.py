"""Which names lie inside the modules of a class: module names from the tables, and the stems of variables."""

from __future__ import annotations

import re
from functools import cache

from mappings.family import Family
from mappings.tensors.expand import first_names
from mappings.tensors.patterns import Pattern
from mappings.tensors.rows import Scheme, Table

#: What follows a module's name in the name of a variable that belongs to it.
_SEPARATORS = "._@"
_LAST_CHOICE = re.compile(r"\{[^{}]*\}$")


def child_names(table: Table, scheme: Scheme) -> frozenset[str]:
    """The class's own children under this scheme: the first part of every name, the backbone among them.

    A name below one of them lies inside a module of the class, at whatever depth: a layer, a list of layers and the
    backbone are modules too, and what is put into one takes part in its computation. A name that begins with another
    part lies next to them, as a head does.
    """
    return frozenset(name.partition(".")[0] for name in first_names(table, scheme))


def module_names(table: Table, scheme: Scheme) -> frozenset[str]:
    """The modules that have weights of their own, those of the layers as layer 0's."""
    return frozenset(name.rpartition(".")[0] for name in first_names(table, scheme))


@cache
def backbone_modules(family: Family) -> frozenset[str]:
    """The same of a family's backbone alone, as any scheme of any class names them."""
    tables = family.tables.values()
    named = [first_names(table, scheme, head=False) for table in tables for scheme in table.schemes]
    return frozenset(name.rpartition(".")[0] for names in named for name in names)


def is_inner_variable(name: str, family: Family, source_class: str = "") -> bool:
    """Whether a variable of a static graph belongs to a module of the class (of any class without `source_class`)."""
    return any(stem.matches(name) for stem in _variable_stems(family, source_class))


@cache
def _variable_stems(family: Family, source_class: str) -> tuple[Pattern, ...]:
    """Variables have flat names, so a module is what their names begin with: of a layer its number."""
    rows = [row for row in family.release.names if not row.classes or source_class in ("", *row.classes)]
    texts = [_stem(row.stored.text) for row in rows]
    texts += [(f"{kind.name}_{{number}}", _SEPARATORS) for kind in family.automatic.kinds]
    return tuple(
        Pattern(f"{text}{end}")
        for text, separators in dict.fromkeys(texts)
        for end in ("", *(f"{s}{{any}}" for s in separators))
    )


def _stem(stored: str) -> tuple[str, str]:
    """What the names of a module's variables begin with, and what may follow it: where the row has a dot, a dot."""
    before, layer, _ = stored.partition("{layer}")
    if layer:
        return before + layer, _SEPARATORS
    left = _LAST_CHOICE.sub("", stored)
    if left == stored:  # One part of the module alone is there.
        left = stored[: stored.rfind(".") + 1] or stored
    return left.rstrip(_SEPARATORS), "." if left.endswith(".") else _SEPARATORS
