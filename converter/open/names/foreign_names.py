"""Names of other programs' conversions to PyTorch: put in place of those of the target's class, which are then known.

Which these are is data: mappings/FAMILY/names/foreign.toml.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from converter.common.errors import NamesError, Problem
from converter.files.regular_files import quoted
from converter.files.tensors import SourceTensor, TensorSet
from mappings import Family
from mappings.names.others import RenamedName

_BUFFER = "a buffer, which transformers' class makes by itself"


def take_foreign_names(found: TensorSet, family: Family, *, is_known: bool) -> TensorSet:
    """The tensors of a file with transformers' names under those of its class, with a warning for each program whose
    names they were. `is_known`: a config or an option names the family. Raises NamesError where two become one."""
    names = family.foreign
    if found.naming != "transformers" or not (names.renamed or names.buffers):
        return found
    rows = [
        row for row in names.renamed if (is_known or not row.known) and (not row.needs or row.needs in found.tensors)
    ]
    tensors: dict[str, SourceTensor] = {}
    taken: dict[str, list[str]] = {}
    left: list[tuple[str, str]] = []
    for name, tensor in found.tensors.items():
        target = _rename(name, rows, taken)
        if any(buffer.matches(target) for buffer in names.buffers):
            left.append((name, _BUFFER))
        elif target in tensors:
            both = f"{quoted(tensors[target].stored_as or target, 200)} and {quoted(name, 200)}"
            raise NamesError(Problem("E103", f"{both} are the same weight. Which is the model's?"))
        else:
            stored_as = tensor.stored_as or (name if target != name else "")
            tensors[target] = replace(tensor, name=target, stored_as=stored_as)
    usual = family.usual_preset.name
    warnings = tuple(
        f"{_shorten(listed)}: names as {by} give them, read as those of transformers' class. OUTPUT has the epsilon "
        f"of this conversion's config; --behavior {usual} takes that of {usual}"
        for by, listed in taken.items()
    )
    return replace(found, tensors=tensors, left_out=(*found.left_out, *left), warnings=(*found.warnings, *warnings))


def _rename(name: str, rows: Collection[RenamedName], taken: dict[str, list[str]]) -> str:
    """The name in the target's class; which rows knew it is noted in `taken`."""
    target = name
    for row in rows:
        values = row.stored.match(target)
        if values is not None:
            target = row.stored.translate(values, row.key)
            taken.setdefault(row.by, []).append(name)
    return target


def _shorten(names: list[str]) -> str:
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{quoted(names[0], 200)}{more}"
