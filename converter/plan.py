"""The plan: every source tensor used once or dropped with a reason, every target made once, every problem found.

Pure: it reads no bytes of tensors and writes nothing. Nothing is written before it is clean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from converter.config import SourceConfig
from converter.errors import PlanError, Problem, fold_names
from converter.names import check_names, fold_reasons
from converter.open.source import Source
from converter.sharing import check_sharing
from converter.sizes import Sizes, resolve_sizes
from converter.tensors import FLOATING, SourceTensor
from mappings import Mapped, Scheme, Table, expand, load_table

#: Where the weights go that no PyTorch class has a place for: names, layout and dtype as in the source.
EXTRAS_FILE = "release_extras.safetensors"


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


@dataclass(frozen=True)
class Plan:
    """What will be written, from what, and what will not."""

    table: Table
    scheme: Scheme
    config: SourceConfig
    sizes: Sizes
    tensors: tuple[PlannedTensor, ...]
    dropped: tuple[Dropped, ...]
    #: False where the checkpoint has no pooling layer and the class can do without.
    has_pooler: bool
    warnings: tuple[str, ...]
    #: Weights that no PyTorch class has a place for: written as they are into a file of their own.
    extras: tuple[PlannedTensor, ...] = ()


def make_plan(source: Source, dtype: str = "keep") -> Plan:
    """The plan for a checkpoint. `dtype` is "keep" or what every tensor is converted to. Raises PlanError."""
    if source.config.architecture is None:
        raise PlanError(_no_architecture(source))
    contradiction = check_class(source)
    table = load_table(source.config.architecture)
    tensors = source.tensors.tensors
    try:
        scheme = choose_scheme(table, tensors, source.tensors.naming == "transformers")
    except PlanError as error:
        raise PlanError(*contradiction, *error.problems) from None
    sizes, problems = resolve_sizes(source.config, table, tensors, scheme)
    problems = contradiction + problems
    if sizes is None:
        raise PlanError(*problems, *check_names(table, scheme, tensors, ())[0])
    mapped, absent = leave_out_absent(expand(table, scheme, sizes.by_field()), tensors)
    name_problems, unknown = check_names(table, scheme, tensors, mapped, source.config.file)
    problems += name_problems
    problems += check_shapes(mapped, tensors, table)
    problems += check_dtypes(mapped, tensors)
    if problems:
        raise PlanError(*problems)
    dropped = [Dropped(m.source, m.drop, True) for m in mapped if m.drop and m.source in tensors]
    dropped += [Dropped(name, "no row of any table knows this name", False) for name in unknown]
    dropped += [Dropped(name, reason, True) for name, reason in source.tensors.left_out]
    planned = tuple(
        PlannedTensor(
            tensors[m.source], m.target, m.op, m.target_shape, tensors[m.source].dtype if dtype == "keep" else dtype
        )
        for m in mapped
        if not m.drop
    )
    extras = plan_extras(source)
    problems = check_sharing([entry.source for entry in (*planned, *extras)], source.path.name)
    if problems:
        raise PlanError(*problems)
    warnings = (*_warnings(sizes, dropped, planned, absent), *_say_extras(extras))
    return Plan(table, scheme, source.config, sizes, planned, tuple(dropped), not absent, warnings, extras)


def check_class(source: Source) -> list[Problem]:
    """A class that the config says and the names of the tensors contradict; --architecture overrules both."""
    said, told = source.config.architecture, source.tensors.told_class
    if not told or told == said or source.config.class_from != "config":
        return []
    text = f"{source.config.file} says {said}, the names of the tensors are those of {told}. Which of the two is right?"
    return [Problem("E104", f"{text} --architecture NAME overrules the config")]


def plan_extras(source: Source) -> tuple[PlannedTensor, ...]:
    """The weights that no table has a place for, under the names that they have in their files, in order."""
    named = {tensor.stored_as or name: tensor for name, tensor in source.tensors.extras.items()}
    return tuple(
        PlannedTensor(tensor, name, "keep", tensor.shape, tensor.dtype) for name, tensor in sorted(named.items())
    )


def _say_extras(extras: tuple[PlannedTensor, ...]) -> tuple[str, ...]:
    if not extras:
        return ()
    names = fold_names(extra.target for extra in extras)
    return (f"no PyTorch class has a place for {names}: kept as they are in {EXTRAS_FILE} of OUTPUT",)


def _no_architecture(source: Source) -> Problem:
    if source.config.file:
        where = f"{source.config.file} does not name the model's class"
    else:
        where = "no config.json, model_config.json or ernie_config.json beside the weights or in the parent folder"
    return Problem(
        "E010",
        f"{where}, and weights alone do not tell it. Give --config FILE, or --architecture and --num-attention-heads",
    )


def leave_out_absent(
    mapped: tuple[Mapped, ...], tensors: Mapping[str, SourceTensor]
) -> tuple[tuple[Mapped, ...], tuple[Mapped, ...]]:
    """The list without its optional part, and that part, when all of it is missing; a half of it stays an error."""
    optional = tuple(entry for entry in mapped if entry.optional)
    if any(entry.source in tensors for entry in optional):
        return mapped, ()
    return tuple(entry for entry in mapped if not entry.optional), optional


def choose_scheme(table: Table, tensors: Mapping[str, SourceTensor], of_transformers: bool = False) -> Scheme:
    """The name scheme that a file holds, told by the word embedding. Raises PlanError for two or none.

    `of_transformers`: the tensors are in PyTorch's layout, which only the reader can tell.
    """
    probe = "embeddings.word_embeddings.weight"
    schemes = [scheme for scheme in table.schemes if scheme.identity == of_transformers]
    found = [scheme for scheme in schemes if scheme.prefix + probe in tensors]
    if len(found) == 1:
        return found[0]
    if found:
        names = " and ".join(f"{scheme.prefix}{probe}" for scheme in found)
        raise PlanError(
            Problem("E103", f"two name schemes in one checkpoint: {names} are both there. Which is the model?")
        )
    expected = " or ".join(scheme.prefix + probe for scheme in schemes)
    elsewhere = [name for name in tensors if name.endswith(probe)]
    hint = f"; {elsewhere[0]} is there: is it another class than {table.source_class}?" if elsewhere else ""
    raise PlanError(
        Problem(
            "E101", f"missing: {expected}, so this is no {table.source_class} checkpoint{hint} Found: {_some(tensors)}"
        )
    )


def _some(tensors: Mapping[str, SourceTensor]) -> str:
    names = sorted(tensors)
    return fold_names(names) if len(names) <= 8 else fold_names(names[:8]) + f", first of {len(names)}"


def check_shapes(mapped: tuple[Mapped, ...], tensors: Mapping[str, SourceTensor], table: Table) -> list[Problem]:
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


def _warnings(
    sizes: Sizes, dropped: list[Dropped], planned: tuple[PlannedTensor, ...], absent: tuple[Mapped, ...]
) -> tuple[str, ...]:
    warnings = list(sizes.warnings)
    if absent:
        warnings.append(f"missing: {fold_names(entry.source for entry in absent)}: {absent[0].optional}")
    unknown = [drop.name for drop in dropped if not drop.known]
    if unknown:
        warnings.append(f"not converted, for no table knows them: {fold_names(unknown)}")
    reasons: dict[str, list[str]] = {}
    for drop in dropped:
        if drop.known:
            reasons.setdefault(drop.reason, []).append(drop.name)
    if reasons:
        warnings.append(f"not converted: {fold_reasons(reasons)}")
    dtypes = sorted({tensor.dtype for tensor in planned})
    if len(dtypes) > 1:
        warnings.append(
            f"the tensors have different dtypes ({', '.join(dtypes)}): each keeps its own. --dtype makes them one"
        )
    return tuple(warnings)
