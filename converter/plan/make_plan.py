"""The plan: every source tensor used once or dropped with a reason, every target made once, every problem found.

Pure: it reads no bytes of tensors and writes nothing. Nothing is written before it is clean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from converter.common.errors import PlanError, Problem, fold_names
from converter.common.layout import EXTRAS_FILE
from converter.files.tensors import FLOATING, HOLDS_VALUES_OF, SourceTensor
from converter.open.config.config import SourceConfig
from converter.open.config.config_fields import DEFAULT_DTYPE
from converter.open.config.find_config import config_names
from converter.open.source import Source
from converter.plan.check_names import check_names, fold_reasons
from converter.plan.inner_tensors import (
    UNKNOWN,
    InnerTensor,
    find_inner,
    refuse_adapters,
    refuse_inner,
    variable_names,
    warn_left_out,
)
from converter.plan.names_in_front import explain_front, refuse_foreign
from converter.plan.parts import leave_out_absent, parts_without_tensors, split_surplus, switch_off, take_copies
from converter.plan.sharing import check_sharing
from converter.plan.sizes import Sizes, resolve_sizes
from mappings import Family, Mapped, Scheme, Table, expand
from mappings.tensors.expand import why_left_out

_ALONE = "not of the encoder, which --architecture takes alone, as PaddleNLP does"


@dataclass(frozen=True)
class PlannedTensor:
    """One tensor's way: `op` takes the source array to one of `shape`, written as `target` in `dtype`."""

    source: SourceTensor
    target: str
    op: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class Dropped:
    name: str
    reason: str
    #: A drop that a table's row names is ordinary; an unknown tensor is warned of.
    known: bool
    #: The name in the file where it is not `name`.
    stored_as: str = ""


@dataclass(frozen=True)
class Plan:
    """What will be written, from what, and what will not."""

    table: Table
    scheme: Scheme
    config: SourceConfig
    sizes: Sizes
    tensors: tuple[PlannedTensor, ...]
    dropped: tuple[Dropped, ...]
    #: Parts of the table that the checkpoint lacks and the class can do without, and the fields of config.json then.
    absent: Mapping[str, Mapping[str, Any]]
    warnings: tuple[str, ...]
    #: Weights that no PyTorch class has a place for: written as they are into a file of their own.
    extras: tuple[PlannedTensor, ...] = ()
    #: Unknown tensors inside modules of the class, which are left out because the user asked for it.
    left_inside: tuple[InnerTensor, ...] = ()
    #: What the user asked every tensor to be converted to, or "keep".
    asked_dtype: str = "keep"
    #: Tensors of the source and further copies of them, which must be equal.
    copies: tuple[tuple[SourceTensor, SourceTensor], ...] = ()
    #: Name of a further copy -> the warning where it is not equal, which is then no error.
    may_differ: Mapping[str, str] = field(default_factory=dict)

    @property
    def family(self) -> Family:
        return self.config.family

    @property
    def switches(self) -> dict[str, bool]:
        """The fields of the config that turn a part of the class on or off, as the output has them."""
        return {part.switch: part.name not in self.absent for part in self.table.parts.values() if part.switch}

    @property
    def has_pooler(self) -> bool:
        return "pooler" not in self.absent

    @property
    def loaded_dtype(self) -> str:
        """What config.json names as `dtype`: from_pretrained of transformers 5 loads and computes in it. It is what the
        source's own from_pretrained loads in, whatever the file holds, unless the user asked for another."""
        return (self.config.dtype or DEFAULT_DTYPE) if self.asked_dtype == "keep" else self.asked_dtype


def make_plan(source: Source, dtype: str = "keep", *, allow_unknown_tensors: bool = False) -> Plan:
    """The plan for a checkpoint. `dtype` is "keep" or what every tensor is converted to. With `allow_unknown_tensors`
    unknown tensors inside modules of the class are left out with a warning. Raises PlanError."""
    family = source.config.family
    refuse_foreign(source.tensors.tensors, family)
    if source.config.architecture is None:
        in_front = explain_front(family.base_table, source)
        raise PlanError(_no_architecture(source), *([in_front] if in_front else []))
    contradiction = check_class(source)
    table = family.tables[source.config.architecture]
    tensors: Mapping[str, SourceTensor] = source.tensors.tensors
    try:
        scheme = choose_scheme(table, source)
    except PlanError as error:
        raise PlanError(*contradiction, *error.problems, *refuse_adapters(tensors)) from None
    tensors, heads = split_encoder(table, scheme, tensors)
    sizes, problems = resolve_sizes(source.config, table, tensors, scheme)
    problems = contradiction + problems
    if sizes is None:
        more, unknown = check_names(family, table, scheme, tensors, ())
        inner = find_inner(unknown, family, table, scheme, variable_names(tensors))
        raise PlanError(*problems, *more, *refuse_inner(inner, table))
    switched = switch_off(expand(table, scheme, sizes.by_field()), table, source.config)
    mapped, absent = leave_out_absent(take_copies(switched, tensors), tensors)
    tensors, surplus = split_surplus(tensors, table, scheme, source.config, sizes.by_field()[table.layers])
    name_problems, unknown = check_names(family, table, scheme, tensors, mapped, source.config.file)
    problems += name_problems
    inner = find_inner([*unknown, *source.tensors.not_tensors], family, table, scheme, variable_names(tensors))
    problems += refuse_inner(inner, table) if not allow_unknown_tensors else []
    problems += check_shapes(mapped, tensors)
    problems += check_dtypes(mapped, tensors)
    if problems:
        raise PlanError(*problems)
    inside = {tensor.name for tensor in inner}
    dropped = [
        Dropped(m.source, m.drop, True, tensors[m.source].stored_as) for m in mapped if m.drop and m.source in tensors
    ]
    dropped += [
        Dropped(name, why, True, tensor.stored_as)
        for name, tensor in tensors.items()
        for why in [why_left_out(name, table, scheme)]
        if why
    ]
    dropped += [Dropped(name, UNKNOWN, False, tensors[name].stored_as) for name in unknown if name not in inside]
    dropped += [Dropped(name, family.layer_size.surplus, True, tensor.stored_as) for name, tensor in surplus.items()]
    dropped += [Dropped(name, _ALONE, True, tensor.stored_as) for name, tensor in heads.items()]
    dropped += [Dropped(name, reason, True) for name, reason in source.tensors.left_out]
    planned = tuple(
        PlannedTensor(
            tensors[m.source], m.target, m.op, m.target_shape, tensors[m.source].dtype if dtype == "keep" else dtype
        )
        for m in mapped
        if not m.drop
    )
    copies = tuple((tensors[m.same_as], tensors[m.source]) for m in mapped if m.same_as and m.source in tensors)
    extras = plan_extras(source)
    problems = check_sharing([entry.source for entry in (*planned, *extras)], source.path.name)
    if problems:
        raise PlanError(*problems)
    warnings = (
        *_caution(source.config),
        *_warnings(sizes, dropped, tuple(m for m in absent if not (m.drop and table.parts[m.part].switch))),
        *warn_left_out(inner, table),
        *_warn_of_extras(extras, family),
    )
    dropped += [Dropped(tensor.name, tensor.reason, False) for tensor in inner]
    missing = {name: table.parts[name].absent for name in parts_without_tensors(mapped, absent, table)}
    plan = Plan(
        *(
            table,
            scheme,
            source.config,
            sizes,
            planned,
            tuple(dropped),
            missing,
            warnings,
            extras,
            inner,
            dtype,
            copies,
        ),
        may_differ={m.source: m.differs for m in mapped if m.differs},
    )
    return replace(plan, warnings=(*warnings, *warn_of_dtypes(plan)))


def check_class(source: Source) -> list[Problem]:
    """A class that the config names and the names of the tensors contradict; --architecture overrules both."""
    specified, inferred = source.config.architecture, source.tensors.inferred_class
    if not inferred or inferred == specified or source.config.class_from != "config":
        return []
    text = (
        f"{source.config.file} names {specified}, the names of the tensors are those of {inferred}. Which of the two is"
    )
    return [Problem("E104", f"{text} right? --architecture NAME overrules the config")]


def _caution(config: SourceConfig) -> tuple[str, ...]:
    """What the class cannot compute as the source's does, unless the config is one with which it can."""
    entry = config.family.class_named(config.architecture)
    return () if entry is None else entry.cautions(config.get)


def plan_extras(source: Source) -> tuple[PlannedTensor, ...]:
    """The weights that no table has a place for, under the names that they have in their files, in order."""
    named = {tensor.stored_as or name: tensor for name, tensor in source.tensors.extras.items()}
    return tuple(
        PlannedTensor(tensor, name, "keep", tensor.shape, tensor.dtype) for name, tensor in sorted(named.items())
    )


def _warn_of_extras(extras: tuple[PlannedTensor, ...], family: Family) -> tuple[str, ...]:
    if not extras:
        return ()
    names = fold_names(extra.target for extra in extras)
    kept = f"no PyTorch class has a place for {names}: kept as they are in {EXTRAS_FILE} of OUTPUT"
    heads = family.release.pretraining_heads
    classes = [row.source_class for row in heads for extra in extras if row.stored.matches(extra.target)]
    asked = [f"--architecture {name} makes a class of the head" for name in dict.fromkeys(classes)]
    return (". ".join([kept, *asked]),)


def _no_architecture(source: Source) -> Problem:
    if source.config.file:
        where = f"{source.config.file} does not name the model's class"
    else:
        *others, last = config_names()
        where = f"no {', '.join(others)} or {last} next to the weights or in the parent folder"
    text = f"{where}, and weights alone do not show it. Give --config FILE, or --architecture and --num-attention-heads"
    family = source.config.family
    base, probe = family.base_class.source, family.probe_of(source.tensors.naming == "transformers")
    if any(name.endswith(probe) for name in source.tensors.tensors):
        text += f". --architecture {base} takes the encoder, whatever the head is"
    return Problem("E010", text)


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


def check_shapes(mapped: tuple[Mapped, ...], tensors: Mapping[str, SourceTensor]) -> list[Problem]:
    problems = []
    for entry in mapped:
        tensor = tensors.get(entry.source)
        if tensor is None or tensor.shape == entry.source_shape:
            continue
        if tensor.shape == entry.source_shape[::-1]:
            hint = "Already in PyTorch layout? Convert the file that Paddle wrote"
        else:
            hint = "Is the config another model's? --config FILE names the right one"
        problems.append(
            Problem("E201", f"{entry.source} is {list(tensor.shape)}, expected {list(entry.source_shape)}. {hint}")
        )
    return problems


def check_dtypes(mapped: tuple[Mapped, ...], tensors: Mapping[str, SourceTensor]) -> list[Problem]:
    wrong: dict[str, list[str]] = {}
    for entry in mapped:
        tensor = tensors.get(entry.source)
        if tensor is not None and tensor.dtype not in FLOATING:
            wrong.setdefault(tensor.dtype, []).append(entry.source)
    return [
        Problem("E202", f"{fold_names(names)}: stored as {dtype}, expected one of {', '.join(FLOATING)}")
        for dtype, names in wrong.items()
    ]


def _warnings(sizes: Sizes, dropped: list[Dropped], absent: tuple[Mapped, ...]) -> tuple[str, ...]:
    warnings = list(sizes.warnings)
    for reason in dict.fromkeys(entry.optional for entry in absent):
        names = fold_names(entry.source for entry in absent if entry.optional == reason)
        warnings.append(f"missing: {names}: {reason}")
    unknown = [drop.name for drop in dropped if not drop.known]
    if unknown:
        warnings.append(f"not converted, for no table knows them: {fold_names(unknown)}")
    reasons: dict[str, list[str]] = {}
    for drop in dropped:
        if drop.known:
            reasons.setdefault(drop.reason, []).append(drop.name)
    if reasons:
        warnings.append(f"not converted: {fold_reasons(reasons)}")
    return tuple(warnings)


def warn_of_dtypes(plan: Plan) -> list[str]:
    """What happens to dtypes between SOURCE, OUTPUT's file and a plain from_pretrained, where it is not the usual."""
    loaded, dtypes, warnings = plan.loaded_dtype, sorted({tensor.dtype for tensor in plan.tensors}), []
    if len(dtypes) > 1:
        warnings.append(
            f"the tensors have different dtypes ({', '.join(dtypes)}): each keeps its own in the file, and a plain "
            f"from_pretrained loads them all in {loaded}, as the source's own does. --dtype makes them one"
        )
    rounded = [dtype for dtype in dtypes if dtype not in HOLDS_VALUES_OF[loaded]]
    if rounded:
        count = sum(tensor.dtype in rounded for tensor in plan.tensors)
        warnings.append(
            f"config.json asks for {loaded}, which the source's own from_pretrained loads in: a plain from_pretrained "
            f"rounds the {count} tensors that the file holds in {' and '.join(rounded)}, unless it is given a dtype"
        )
    return warnings
