"""From the names of variables to PaddleNLP's keys. What the names mean is data: mappings/names/*.toml."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from converter.errors import FileError, Problem
from converter.open.automatic_names import is_automatic, rank_names
from converter.open.files import quoted
from converter.tensors import FLOATING, SourceTensor, TensorSet
from mappings import SOURCE_CLASSES, load_table, matches_row
from mappings.inner_names import is_inner_variable, load_inner
from mappings.variable_names import OfficialName, load_left_out, load_official

_MASTER = ".master"
_HUB = re.compile(r"@HUB_[^@]+@(?=.)")
_PROBE = "embeddings.word_embeddings.weight"


@dataclass(frozen=True)
class Named:
    """The tensors of a checkpoint under PaddleNLP's keys. `unknown`: those that keep their own name, for the plan to
    say that no table knows them."""

    tensors: dict[str, SourceTensor]
    naming: str = "structured"
    told_class: str = ""
    left_out: tuple[tuple[str, str], ...] = ()
    extras: dict[str, SourceTensor] = field(default_factory=dict)
    told_behavior: str = ""
    #: PaddleHub's mark in front of every name, which was taken off.
    prefix: str = ""
    unknown: tuple[str, ...] = ()


def hub_prefix(name: str) -> str:
    """What PaddleHub put in front of a variable's name (`@HUB_ernie_m@word_embedding`), or ''."""
    found = _HUB.match(name)
    return found[0] if found else ""


def bare_name(name: str) -> str:
    """A variable's name without PaddleHub's mark."""
    return name[len(hub_prefix(name)) :]


def match_official(name: str) -> tuple[OfficialName, str] | None:
    """The row that knows a name of the 2021 release, and PaddleNLP's key without a prefix."""
    for row in load_official().names:
        values = row.stored.match(name)
        if values is not None:
            return row, row.stored.translate(values, row.key)
    return None


def is_structured(name: str) -> bool:
    return name.endswith(_PROBE) or ".layers." in name


def is_extra(name: str) -> bool:
    return any(extra.stored.matches(name) for extra in load_official().extras)


def naming_of(names: Iterable[str], file: str) -> str:
    """Which names these are: "structured", "official", "automatic", or "" for none. Raises FileError for a mixture."""
    first: dict[str, str] = {}
    for name in names:
        if is_structured(name):
            first.setdefault("structured", name)
        elif match_official(name):
            first.setdefault("official", name)
        elif is_automatic(name):
            first.setdefault("automatic", name)
    if len(first) > 1:
        both = " and ".join(f"{quoted(name, 200)} ({naming})" for naming, name in first.items())
        raise FileError(
            Problem("E103", f"{file}: two naming schemes in one checkpoint: {both} are both there. Which is the model?")
        )
    return next(iter(first), "")


def why_left_out(name: str, names: Mapping[str, object]) -> str:
    """Why a variable is no weight (an optimizer's state, an input), or ''. `names`: all of the checkpoint."""
    bare = bare_name(name)
    hub = name[: len(name) - len(bare)]
    for row in load_left_out():
        values = row.stored.match(bare)
        if values is not None:
            weights = [hub + value for slot, value in zip(row.stored.slots, values) if slot == "weight"]
            if all(weight in names and is_weight(weight) for weight in weights):
                return row.why
    return ""


@lru_cache(maxsize=4096)
def is_weight(name: str) -> bool:
    """Whether a name is that of a weight, in any naming."""
    name = bare_name(name).removesuffix(_MASTER)
    return bool(match_official(name) or is_automatic(name) or is_extra(name) or is_structured(name))


def is_sure_name(name: str, names: Mapping[str, object], naming: str) -> bool:
    """Whether a changed letter would make another name of this one, or leave its set incomplete."""
    left_out, name = why_left_out(name, names), bare_name(name)
    if naming == "structured":
        tables = [load_table(source_class) for source_class in SOURCE_CLASSES]
        return any(matches_row(name, table, scheme) for table in tables for scheme in table.schemes)
    if any(extra.shape and extra.stored.matches(name) for extra in load_official().extras):
        return True
    weight = name.removesuffix(_MASTER)
    if match_official(weight) if naming == "official" else is_automatic(name):
        return True
    rows = [row for row in load_left_out() if row.stored.matches(name)]
    return bool(rows) and "weight" in rows[0].stored.slots and bool(left_out)


def name_tensors(stored: Mapping[str, SourceTensor], file: str) -> Named:
    """The tensors under PaddleNLP's keys, as their own names tell them. `file` is for messages. Raises FileError."""
    hubs = {hub_prefix(name) for name in stored}
    if len(hubs) == 1 and hubs != {""}:
        (hub,) = hubs
        return replace(name_tensors({name[len(hub) :]: tensor for name, tensor in stored.items()}, file), prefix=hub)
    naming = naming_of(stored, file)
    left = {name: why for name in stored for why in [why_left_out(name, stored)] if why}
    kept = {name: tensor for name, tensor in stored.items() if name not in left}
    if naming == "structured":
        return Named(dict(kept), left_out=tuple(left.items()))
    if naming == "official":
        named = _name_official(kept, file)
    elif naming == "automatic":
        named = _name_automatic(kept, file)
    else:
        shown = ", ".join(quoted(name) for name in list(stored)[:8])
        text = f"{file}: no name is one of ERNIE-M's. Found {shown}{', ...' if len(stored) > 8 else ''}"
        if any(hubs):
            text += ". '@HUB_...@' is PaddleHub's mark; every variable of one model has the same, and these do not"
        raise FileError(Problem("E323", text))
    return replace(named, left_out=(*left.items(), *named.left_out))


def _name_official(stored: Mapping[str, SourceTensor], file: str) -> Named:
    rows = {name: found for name in stored for found in [match_official(name.removesuffix(_MASTER))] if found}
    classes = sorted({row.source_class for row, _ in rows.values() if row.source_class})
    if len(classes) > 1:
        text = f"{file}: heads of {' and '.join(classes)} in one checkpoint. Which is the model?"
        raise FileError(Problem("E103", text))
    told = classes[0] if classes else "ErnieMModel"
    prefix = load_table(told).schemes[0].prefix
    tensors: dict[str, SourceTensor] = {}
    left: list[tuple[str, str]] = []
    for name, (row, key) in rows.items():
        if name + _MASTER in stored:
            _check_master(stored[name], stored[name + _MASTER], file)
            left.append((name, f"a copy in {stored[name].dtype} of {name}{_MASTER}, which is taken"))
        else:
            target = key if row.role == "head" else prefix + key
            tensors[target] = replace(stored[name], name=target)
    _check_masters(stored, rows, file)
    rest, extras, more = _sort_unknown({name: tensor for name, tensor in stored.items() if name not in rows})
    behavior = next((row.behavior for row, _ in rows.values() if row.behavior), "")
    every = _merge(tensors, rest, file)
    return Named(every, "official", told, (*left, *more), extras, behavior, unknown=tuple(rest))


def _check_masters(stored: Mapping[str, SourceTensor], rows: Iterable[str], file: str) -> None:
    """The release keeps all fp16 weights in fp32 too, or none."""
    if any(name.endswith(_MASTER) for name in rows):
        halves = [name for name in rows if stored[name].dtype == "float16" and name + _MASTER not in stored]
        if halves:
            names = ", ".join(name + _MASTER for name in halves[:8])
            raise FileError(Problem("E101", f"{file}: missing: {names}; other weights have theirs. Is it complete?"))


def _merge(tensors: dict[str, SourceTensor], rest: dict[str, SourceTensor], file: str) -> dict[str, SourceTensor]:
    """Weights, and what has no name that is known; a variable that bears a key of PaddleNLP's would hide a weight."""
    for name in rest:
        if name in tensors:
            both = f"{quoted(tensors[name].stored_as, 200)} and {quoted(name, 200)}"
            raise FileError(Problem("E103", f"{file}: {both} are the same weight. Which is the model's?"))
    return {**tensors, **rest}


def _check_master(tensor: SourceTensor, master: SourceTensor, file: str) -> None:
    if tensor.shape != master.shape or master.dtype not in FLOATING:
        found = f"{list(master.shape)} of {master.dtype}, and {tensor.stored_as} is {list(tensor.shape)}"
        raise FileError(Problem("E305", f"{file}: {master.stored_as} is {found}. They should be one weight"))


def _name_automatic(stored: Mapping[str, SourceTensor], file: str) -> Named:
    ranked = rank_names(stored, file)
    told = ranked.source_class
    # A class that is not told has a head all the same, and every head has one prefix.
    prefix = "" if not ranked.head else load_table(told or "ErnieMForSequenceClassification").schemes[0].prefix
    keys = {**{name: prefix + key for name, key in ranked.backbone.items()}, **ranked.head}
    tensors = {key: replace(stored[name], name=key) for name, key in keys.items()}
    rest, extras, left = _sort_unknown({name: tensor for name, tensor in stored.items() if name not in keys})
    return Named(_merge(tensors, rest, file), "automatic", told, left, extras, unknown=tuple(rest))


def _sort_unknown(
    stored: Mapping[str, SourceTensor],
) -> tuple[dict[str, SourceTensor], dict[str, SourceTensor], tuple[tuple[str, str], ...]]:
    """Names that are no weight's: those left for the plan, extras of pre-training, and what holds no weights. Whole
    numbers inside a module (a quantiser's) are the plan's too."""
    rest: dict[str, SourceTensor] = {}
    extras: dict[str, SourceTensor] = {}
    left: list[tuple[str, str]] = []
    for name, tensor in stored.items():
        inside = is_inner_variable(name) or load_inner().recognise(name) is not None
        if tensor.dtype not in FLOATING and not inside:
            left.append((name, f"holds {tensor.dtype}, no weights"))
        elif is_extra(name):
            extras[name] = tensor
        else:
            rest[name] = tensor
    return rest, extras, tuple(left)


def apply_names(found: TensorSet, file: str) -> TensorSet:
    """A set that a reader keyed by variable names (static.save), under PaddleNLP's keys; others stay as they are.

    Where the keys are nobody's and the file's own table has their variables, those names are taken. Raises
    FileError."""
    found = take_name_table(found, file)
    if naming_of(found.tensors, file) in ("", "structured"):
        return found
    stored = {name: replace(tensor, stored_as=tensor.stored_as or name) for name, tensor in found.tensors.items()}
    return with_names(found, name_tensors(stored, file))


def take_name_table(found: TensorSet, file: str) -> TensorSet:
    """The tensors under the names of their variables, where the keys are not known and these are the official ones:
    ERNIEKit's classes have keys of their own, and the variables of the release. Raises FileError for one variable
    twice."""
    table = found.name_table
    known = any(name.endswith(_PROBE) or match_official(name) for name in found.tensors)
    if known or not any(map(match_official, table.values())):
        return found
    tensors: dict[str, SourceTensor] = {}
    left: list[tuple[str, str]] = []
    for key, tensor in found.tensors.items():
        name = table.get(key, key)
        if name not in tensors:
            tensors[name] = replace(tensor, name=name)
        elif _same_bytes(tensors[name], tensor):
            left.append((key, f"the same weight as {name}, under a second key"))
        else:
            text = f"{file}: two tensors are the variable {quoted(name, 200)}, and differ. Which is the model's?"
            raise FileError(Problem("E306", text))
    warning = f"{file}: its keys are not PaddleNLP's; the names are those of its table of variables, as ERNIEKit has it"
    return replace(
        found,
        tensors=tensors,
        warnings=(*found.warnings, warning),
        left_out=(*found.left_out, *left),
        told_behavior="erniekit",
        name_table={},
    )


def _same_bytes(one: SourceTensor, other: SourceTensor) -> bool:
    import numpy as np

    return (one.shape, one.dtype) == (other.shape, other.dtype) and np.array_equal(
        one.read().view(np.uint8), other.read().view(np.uint8)
    )


def with_names(found: TensorSet, named: Named) -> TensorSet:
    taken = f"every variable's name starts with {quoted(named.prefix)}, PaddleHub's mark: taken off"
    return replace(
        found,
        warnings=(*found.warnings, taken) if named.prefix else found.warnings,
        prefix=found.prefix + named.prefix,
        tensors=named.tensors,
        naming=named.naming,
        told_class=named.told_class,
        left_out=(*found.left_out, *named.left_out),
        extras=named.extras,
        told_behavior=found.told_behavior or named.told_behavior,
    )
