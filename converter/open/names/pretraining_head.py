"""The head of a release's pre-training: one of the extras, unless the user asks for the class that has it."""

from __future__ import annotations

from dataclasses import replace

from converter.common.errors import Problem, SourceError, fold_names
from converter.files.tensors import SourceTensor, TensorSet
from converter.open.config.config import SourceConfig
from converter.open.names.naming import check_master
from converter.open.names.recognise import MASTER
from mappings import Family, matches_row


def take_pretraining_head(found: TensorSet, config: SourceConfig) -> TensorSet:
    """The set with the head's tensors among the others, under the keys of the class that is asked for; as it is for
    any other class. Raises SourceError where the head is not whole, or is one that the class cannot have: no head is
    made up."""
    family, asked = config.family, config.architecture
    if not family.head_names(asked):
        return found
    _refuse_others(found, config)
    keys = {name: key for name in found.extras for key in [_key_of(name, config)] if key}
    taken: dict[str, SourceTensor] = {}
    left = []
    for name, key in keys.items():
        master = found.extras.get(name + MASTER)
        if master is not None:
            check_master(found.extras[name], master, found.extras[name].file)
            left.append((name, f"a copy in {found.extras[name].dtype} of {name}{MASTER}, which is taken"))
        taken[key] = _laid_out(replace(master or found.extras[name], name=key), found, config)
    tensors = {**_with_prefix(found, family, str(asked)), **taken}
    _refuse_none(tensors, config)
    gone = {*keys, *(name + MASTER for name in keys)}
    extras = {name: tensor for name, tensor in found.extras.items() if name not in gone}
    return replace(found, tensors=tensors, extras=extras, left_out=(*found.left_out, *left))


def _laid_out(tensor: SourceTensor, found: TensorSet, config: SourceConfig) -> SourceTensor:
    """A tensor of the head, which always has the release's layout, in that of the others: where theirs is the
    target's, a transposed matrix is the same bytes in the other order."""
    rows = config.family.tables[str(config.architecture)].head
    turned = any(row.op == "transpose" and row.source.matches(tensor.name) for row in rows)
    if not turned or found.naming != "transformers":
        return tensor
    return replace(tensor, shape=tensor.shape[::-1], fortran=not tensor.fortran)


def _key_of(name: str, config: SourceConfig) -> str:
    """The key of a stored name of the head, or ''."""
    for row in config.family.head_names(config.architecture):
        values = row.stored.match(name) if row.key is not None else None
        if row.key is not None and values is not None:
            return row.stored.translate(values, row.key)
    return ""


def _with_prefix(found: TensorSet, family: Family, asked: str) -> dict[str, SourceTensor]:
    """The tensors, those of an encoder alone under the names that they have in the class."""
    prefix, base = family.tables[asked].schemes[0].prefix, family.base_table
    if any(name.startswith(prefix) for name in found.tensors):
        return found.tensors
    schemes = [scheme for scheme in base.schemes if scheme.identity == (found.naming == "transformers")]
    inside = {name for name in found.tensors if any(matches_row(name, base, scheme) for scheme in schemes)}
    named = {name: prefix + name if name in inside else name for name in found.tensors}
    return {named[name]: replace(tensor, name=named[name]) for name, tensor in found.tensors.items()}


def _refuse_others(found: TensorSet, config: SourceConfig) -> None:
    rows = [row for row in config.family.head_names(config.architecture) if row.refused]
    problems = [
        Problem("E104", f"{name}: {row.refused}. Without --architecture {config.architecture} it is kept apart")
        for row in rows
        for name in found.extras
        if row.stored.matches(name)
    ]
    if problems:
        raise SourceError(*problems)


def _refuse_none(tensors: dict[str, SourceTensor], config: SourceConfig) -> None:
    """Raises SourceError that names what is missing, under the names of the release and of the class."""
    missing = {}
    for row in config.family.head_names(config.architecture):
        if row.key is None:
            continue
        for values in row.stored.expand(0):
            key = row.stored.translate(values, row.key)
            if key not in tensors:
                missing[row.stored.fill(values)] = key
    if missing:
        names = f"{fold_names(missing)} ({fold_names(missing.values())})"
        text = f"SOURCE has no whole head for {config.architecture}: missing {names}. A head is never made up"
        raise SourceError(Problem("E101", f"{text}: ask for the encoder's class, or for the file with the head"))
