"""Names that are not the model's as they are: with something in front of them, or another model's altogether."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from converter.common.errors import PlanError, Problem
from converter.files.regular_files import quoted
from converter.files.tensors import SourceTensor
from converter.open.config.config import what_is_converted
from converter.open.names.prefix import WRAPPERS
from converter.open.source import Source
from mappings import Family, Scheme, Table
from mappings.refused import load_refused, refused_by
from mappings.tensors.expand import row_names


def refuse_foreign(tensors: Mapping[str, SourceTensor], family: Family) -> None:
    """Raises PlanError for the names of another model, or of another program's conversion.

    A network may hold another model next to one of the family: what is there with one of its name schemes is no sign.
    """
    prefixes = {scheme.prefix for table in family.tables.values() for scheme in table.schemes}
    found = {prefix for prefix in prefixes for key in _keys_of_a_layer(family) if prefix + key in tensors}
    # Names without a prefix may be another model's as well as the family's.
    encoder = family.name if any(found) else ""
    models = [one for one in load_refused() if one.encoder_of in (encoder, family.name)]
    other = refused_by("tensors", [*tensors, *(tensor.stored_as for tensor in tensors.values())], models)
    if other is not None:
        raise PlanError(Problem("E116", f"{quoted(other[1], 200)} is there: {other[0].text}"))
    for row in family.foreign.signs:
        sign = next((name for name in tensors if row.fits(name)), None)
        front = sign[: -len(row.ends)] if sign is not None and row.ends else None
        if sign is not None and (front in prefixes or not found):
            text = f"{quoted(sign, 200)} and the others {row.description}. paddle2torch converts {what_is_converted()}"
            raise PlanError(Problem("E117", text) if row.conversion else Problem("E116", text))


def _keys_of_a_layer(family: Family) -> tuple[str, str]:
    """A weight of the first layer, as Paddle and as transformers name it."""
    row = next(row for row in family.base_table.backbone if "layer" in row.source.slots)
    source, targets = next(row_names(row, 1))
    return source, targets[0]


def explain_front(table: Table, source: Source) -> Problem | None:
    """What stands in front of the names of a model, as the option that takes it off; None where nothing does."""
    names, identity = list(source.tensors.tensors), source.tensors.naming == "transformers"
    family = source.config.family
    probe = family.probe_of(identity)
    found_fronts = (_front_of(name, probe, table.schemes, family, identity) for name in names)
    fronts = {found: None for found in found_fronts if found}
    if not fronts:
        return None
    front, has_head = next(iter(fronts))
    option = f"--prefix {shlex.quote(front)}"
    bare = front + probe in names or not has_head
    if (table.head and not has_head) or (bare and source.config.architecture is None):
        option += f" --architecture {family.base_class.source}"
    who = next((f", the name of {who}" for wrapper, who in WRAPPERS.items() if front.startswith(wrapper)), "")
    count = sum(name.startswith(front) for name in names)
    which = "every name starts" if count == len(names) else f"{count} of {len(names)} names start"
    taken = "takes the encoder alone" if "--architecture" in option else "takes it off"
    command = f"paddle2torch inspect {shlex.quote(str(source.path))} {option}"
    text = f"{which} with {quoted(front, 200)}{who}, which no name of {table.source_class} does: {option} {taken}"
    if len(fronts) > 1:
        others = ", ".join(quoted(other, 200) for other, _ in list(fronts)[1:9])
        text += f"; so could {others}, which are other models in the same file"
    return Problem("E115", f"{text}. Try: {command}")


def _front_of(
    name: str, probe: str, schemes: Sequence[Scheme], family: Family, identity: bool
) -> tuple[str, bool] | None:
    """What stands in front of the name of a word embedding, and whether a prefix of the class's follows it."""
    if not name.endswith(probe):
        return None
    known = [scheme.prefix for scheme in schemes if scheme.identity == identity and scheme.prefix]
    # The names of a class with a head, saved with something in front of them, go to a class without one as well.
    known += [scheme.prefix for other in family.tables.values() for scheme in other.schemes if scheme.prefix]
    own = {scheme.prefix for scheme in schemes}
    for prefix in sorted(set(known), key=len, reverse=True):
        front = name[: -len(prefix + probe)]
        if name.endswith("." + prefix + probe) and front:
            return front, prefix in own or "" in own
    front = name[: -len(probe)]
    # A prefix of another class's is no stranger: then it is the class that is another.
    return (front, "" in own) if front.endswith(".") and front not in known else None
