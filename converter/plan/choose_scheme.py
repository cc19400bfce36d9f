"""Which name scheme a checkpoint has, and the encoder taken out of another class's file."""

from __future__ import annotations

from collections.abc import Mapping

from converter.common.errors import PlanError, Problem, fold_names
from converter.files.tensors import SourceTensor
from converter.open.source import Source
from converter.plan.names_in_front import explain_front
from mappings import Scheme, Table


def choose_scheme(table: Table, source: Source) -> Scheme:
    """The name scheme that a file holds, recognised by the word embedding. Raises PlanError for two or none.

    A class without a head that the user asked for is taken out of any other's file, as PaddleNLP does.
    """
    tensors, identity = source.tensors.tensors, source.tensors.naming == "transformers"
    family = source.config.family
    probe = family.probe_of(identity)
    alone = source.config.class_from in ("option", "content") and not table.head
    tables: list[Table] = [table, *(family.tables.values() if alone else ())]
    schemes = {(s.prefix, s.identity): s for one in reversed(tables) for s in one.schemes if s.identity == identity}
    found = [scheme for scheme in schemes.values() if scheme.prefix + probe in tensors]
    if len(found) == 1:
        return found[0]
    if found:
        names = " and ".join(f"{scheme.prefix}{probe}" for scheme in found)
        raise PlanError(
            Problem("E103", f"two name schemes in one checkpoint: {names} are both there. Which is the model?")
        )
    in_front = explain_front(table, source)
    if in_front is not None:
        raise PlanError(in_front)
    expected = " or ".join(scheme.prefix + probe for scheme in table.schemes if scheme.identity == identity)
    elsewhere = [name for name in tensors if name.endswith(probe)]
    hint = f"; {elsewhere[0]} is there: is it another class than {table.source_class}?" if elsewhere else "."
    if elsewhere and not table.head:
        hint += f" --architecture {table.source_class} takes the encoder out of it."
    raise PlanError(
        Problem(
            "E101", f"missing: {expected}, so this is no {table.source_class} checkpoint{hint} Found: {_some(tensors)}"
        )
    )


def split_encoder(
    table: Table, scheme: Scheme, tensors: Mapping[str, SourceTensor]
) -> tuple[Mapping[str, SourceTensor], Mapping[str, SourceTensor]]:
    """The tensors of the class, and those of a head where the class is an encoder out of another class's file."""
    if scheme in table.schemes:
        return tensors, {}
    inside = {name: tensor for name, tensor in tensors.items() if name.startswith(scheme.prefix)}
    return inside, {name: tensor for name, tensor in tensors.items() if name not in inside}


def _some(tensors: Mapping[str, SourceTensor]) -> str:
    names = sorted(tensors)
    return fold_names(names) if len(names) <= 8 else fold_names(names[:8]) + f", first of {len(names)}"
