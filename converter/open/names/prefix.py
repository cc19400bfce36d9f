"""Names that all start with a wrapper's name, or that a user's own network put its attribute in front of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from converter.common.errors import FileError, Problem, SourceError, fold_names
from converter.files.regular_files import quoted
from converter.files.tensors import SourceTensor, TensorSet
from converter.open.names.naming import apply_names
from mappings import Family

#: What wraps a whole model and adds nothing to it, and by whom the name is.
WRAPPERS = {
    "_layers.": "Paddle's DataParallel",
    "module.": "torch's DataParallel",
    "_orig_mod.": "torch.compile",
    "_forward_module.": "Lightning Fabric",
}


def take_off_wrappers(found: TensorSet, family: Family) -> TensorSet:
    """The tensors without the wrappers that every name has, one after the other, and a warning that names each."""
    taken = common_wrappers(found.tensors)
    if not taken:
        return found
    who = " and ".join(dict.fromkeys(WRAPPERS[part] for part in taken))
    prefix = "".join(taken)
    warning = f"every name starts with {quoted(prefix, 200)} ({who}): taken off"
    renamed = _rename(found, prefix, family)
    return replace(renamed, warnings=(*renamed.warnings, warning))


def common_wrappers(names: Iterable[str]) -> list[str]:
    """The wrappers with which every name starts, the outermost first."""
    left, taken = list(names), []
    while left:
        part = next((wrapper for wrapper in WRAPPERS if left[0].startswith(wrapper)), "")
        if not part or not all(name.startswith(part) and len(name) > len(part) for name in left):
            break
        left = [name[len(part) :] for name in left]
        taken.append(part)
    return taken


def take_off_prefix(found: TensorSet, prefix: str, family: Family) -> TensorSet:
    """The tensors without `prefix`; names that do not start with it stay. Raises SourceError when no name has it,
    FileError when two names become one."""
    if not any(name.startswith(prefix) and len(name) > len(prefix) for name in found.tensors):
        names = sorted(found.tensors)
        shown = fold_names(names[:4]) + (f", first of {len(names)}" if len(names) > 4 else "")
        raise SourceError(Problem("E091", f"--prefix {prefix}: no name starts with it. Found: {shown}"))
    return _rename(found, prefix, family)


def _rename(found: TensorSet, prefix: str, family: Family) -> TensorSet:
    tensors: dict[str, SourceTensor] = {}
    for name, tensor in found.tensors.items():
        target = name[len(prefix) :] if name.startswith(prefix) and len(name) > len(prefix) else name
        if target in tensors:
            text = f"{quoted(target, 200)} is there with {quoted(prefix, 200)} in front of it and without. Which is it?"
            raise FileError(Problem("E103", text))
        stored_as = tensor.stored_as or (name if target != name else "")
        tensors[target] = replace(tensor, name=target, stored_as=stored_as)
    table = {_short(name, prefix): variable for name, variable in found.name_table.items()}
    others = tuple(_short(name, prefix) for name in found.not_tensors)
    renamed = replace(found, tensors=tensors, name_table=table, not_tensors=others, prefix=prefix + found.prefix)
    file = found.files[0].name if found.files else "the checkpoint"
    return apply_names(renamed, file, family) if renamed.naming == "structured" else renamed


def _short(name: str, prefix: str) -> str:
    return name[len(prefix) :] if name.startswith(prefix) else name
