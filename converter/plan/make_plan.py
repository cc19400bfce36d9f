"""The plan: every source tensor used once or dropped with a reason, every target made once, every problem found.

Pure: it reads no bytes of tensors and writes nothing. Nothing is written before it is clean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from converter.common.errors import PlanError, Problem
from converter.files.tensors import SourceTensor
from converter.open.config.find_config import config_names
from converter.open.source import Source
from converter.plan.check_names import check_names
from converter.plan.check_tensors import OtherSizes, check_dtypes, check_shapes
from converter.plan.check_tokenizer import check_tokenizer
from converter.plan.choose_scheme import choose_scheme, split_encoder
from converter.plan.inner_tensors import (
    UNKNOWN,
    find_inner,
    refuse_adapters,
    refuse_inner,
    variable_names,
    warn_left_out,
)
from converter.plan.names_in_front import explain_front, refuse_foreign
from converter.plan.parts import leave_out_absent, parts_without_tensors, split_surplus, switch_off, take_copies
from converter.plan.plan import Dropped, Plan, PlannedTensor
from converter.plan.plan_warnings import (
    warn_of_class,
    warn_of_dropped,
    warn_of_dtypes,
    warn_of_extras,
    warn_of_lacking,
)
from converter.plan.sharing import check_sharing
from converter.plan.sizes import Sizes, resolve_sizes, sizes_shown
from mappings import Scheme, Table, expand
from mappings.tensors.expand import why_left_out

_ALONE = "not of the encoder, which --architecture takes alone, as PaddleNLP does"


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
    problems += check_shapes(mapped, tensors, _find_other_sizes(source, table, scheme, sizes, tensors))
    problems += check_dtypes(mapped, tensors)
    problems += check_tokenizer(source.tokenizer, sizes.fields["vocab_size"])
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
    lacking = tuple(m for m in absent if not (m.drop and table.parts[m.part].switch))
    warnings = (
        *warn_of_class(source.config),
        *sizes.warnings,
        *warn_of_lacking(lacking),
        *warn_of_dropped(dropped),
        *warn_left_out(inner, table),
        *warn_of_extras(extras, family),
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
        lacking=lacking,
    )
    return replace(plan, warnings=(*warnings, *warn_of_dtypes(plan)))


def _find_other_sizes(
    source: Source, table: Table, scheme: Scheme, sizes: Sizes, tensors: Mapping[str, SourceTensor]
) -> OtherSizes | None:
    """The sizes for which the tensors are made, where they are not the config's."""
    given = sizes.by_field()
    shown = sizes_shown(given, source.config.family, tensors, scheme)
    if not shown:
        return None
    derived = [size.field for size in source.config.family.sizes if size.times]
    chosen = [name for name in shown if name not in derived] or list(shown)
    file = source.config.file or "the config"
    named = [f"{name} {shown[name]}, and {file} says {given[name]}" for name in chosen]
    shapes = {entry.source: entry.source_shape for entry in expand(table, scheme, {**given, **shown})}
    return OtherSizes("; ".join(named), shapes)


def check_class(source: Source) -> list[Problem]:
    """A class that the config names and the names of the tensors contradict; --architecture overrules both."""
    specified, inferred = source.config.architecture, source.tensors.inferred_class
    if not inferred or inferred == specified or source.config.class_from != "config":
        return []
    text = (
        f"{source.config.file} names {specified}, the names of the tensors are those of {inferred}. Which of the two is"
    )
    return [Problem("E104", f"{text} right? --architecture NAME overrules the config")]


def plan_extras(source: Source) -> tuple[PlannedTensor, ...]:
    """The weights that no table has a place for, under the names that they have in their files, in order."""
    named = {tensor.stored_as or name: tensor for name, tensor in source.tensors.extras.items()}
    return tuple(
        PlannedTensor(tensor, name, "keep", tensor.shape, tensor.dtype) for name, tensor in sorted(named.items())
    )


def _no_architecture(source: Source) -> Problem:
    if source.config.file:
        where = f"{source.config.file} does not name the model's class"
    else:
        *others, last = config_names()
        where = f"no {', '.join(others)} or {last} in {source.origin or source.folder} or in the folder above"
    text = f"{where}, and weights alone do not show it. Give --config FILE, or --architecture and --num-attention-heads"
    family = source.config.family
    base, probe = family.base_class.source, family.probe_of(source.tensors.naming == "transformers")
    if any(name.endswith(probe) for name in source.tensors.tensors):
        text += f". --architecture {base} takes the encoder, whatever the head is"
    return Problem("E010", text)
