"""Everything in the recorder that is particular to a model family: one adapter each.

A new family is a module or folder here that makes a `Family` (family.py), and a line in FAMILIES. An adapter imports
protocol and the recorder's errors, files and arrays, and no other adapter, but that of a family whose layers are its
own (ernie/relatives.py); what else families share is a file of its own (paddle_encoder.py). The facts in it are written
from PaddleNLP's sources, not read from the converter's tables.
"""

from __future__ import annotations

from typing import Any

from verify.recorder.families.ernie.adapter import ERNIE
from verify.recorder.families.ernie_gram import ERNIE_GRAM
from verify.recorder.families.ernie_health import ERNIE_HEALTH
from verify.recorder.families.ernie_m.adapter import ERNIE_M
from verify.recorder.families.family import Family
from verify.recorder.families.skep import SKEP

#: In the order in which they are asked; the first also takes checkpoints with a config that names no family.
FAMILIES = (ERNIE_M, ERNIE, ERNIE_GRAM, SKEP, ERNIE_HEALTH)


def find_family(fields: Any) -> Family:
    """The adapter for a config's fields (None: no config), by its model_type, else by the names of its classes."""
    found = fields or {}
    names = [found.get("init_class"), found.get("architecture"), *(found.get("architectures") or [])]
    for family in FAMILIES:
        known = {*family.classes, *family.class_aliases}
        if found.get("model_type") == family.name or any(name in known for name in names):
            return family
    return FAMILIES[0]


def known_quirks() -> tuple[str, ...]:
    """Every value that a request's `behavior` can have."""
    return tuple(dict.fromkeys(quirk for family in FAMILIES for quirk in family.quirks))
