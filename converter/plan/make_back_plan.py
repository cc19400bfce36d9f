"""The plan of the way back: every tensor of OUTPUT that PaddleNLP's class has, and what of it cannot come back.

Pure, like the plan of a conversion, whose checks it uses: OUTPUT has the names of the target's class, so it is planned
as a SOURCE that has them; then each row is followed from its target to its source.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from converter.common.errors import PlanError, Problem, fold_names
from converter.files.tensors import SourceTensor
from converter.open.converted import ConvertedFolder
from converter.plan.inexpressible import other_rules
from converter.plan.make_plan import make_plan
from converter.plan.plan import Plan, PlannedTensor
from converter.plan.plan_warnings import warn_of_dtypes, warn_of_lacking
from mappings import OPERATIONS, Mapped, Table, expand
from mappings.tensors.expand import why_left_out


@dataclass(frozen=True)
class ZeroedRow:
    """A row of a table, by its number, for which Paddle's lookup gives zeros."""

    tensor: PlannedTensor
    row: int


@dataclass(frozen=True)
class BackPlan:
    """What will be written. `forward`: OUTPUT planned as a SOURCE with the target's names. `tensors`: from OUTPUT's to
    PaddleNLP's names and layout. `copies`: names of further copies among them. `lost`: names that PaddleNLP's class has
    and OUTPUT has not."""

    opened: ConvertedFolder
    forward: Plan
    tensors: tuple[PlannedTensor, ...]
    copies: tuple[str, ...]
    lost: tuple[str, ...]
    zeroed: tuple[ZeroedRow, ...]
    warnings: tuple[str, ...]

    @property
    def table(self) -> Table:
        return self.forward.table


def make_back_plan(opened: ConvertedFolder) -> BackPlan:
    """The plan for OUTPUT. Raises PlanError with every problem: of the tensors, and of rules that PaddleNLP's class
    does not have and without which it computes something else for every text."""
    problems, warnings = other_rules(opened)
    problems += _no_class(opened)
    try:
        forward = make_plan(opened.source)
    except PlanError as error:
        raise PlanError(*problems, *error.problems) from None
    problems += _other_widths(opened, forward)
    if problems:
        raise PlanError(*problems)
    table = forward.table
    scheme = next(scheme for scheme in table.schemes if not scheme.identity)
    entries = expand(table, scheme, forward.sizes.by_field())
    made = _follow_back(entries, forward)
    copies = [entry for entry in entries if entry.same_as in made and not entry.older and entry.source not in made]
    made.update({entry.source: _renamed(made[entry.same_as], entry.source) for entry in copies})
    lost = [entry for entry in entries if entry.source not in made and not entry.same_as]
    by_paddle = [entry for entry in lost if not _is_switched_off(entry, forward)]
    zeroed = tuple(_zeroed_rows(entries, made, opened))
    # Of dtypes and optional tensors: these warnings have no meaning on the way back.
    forward_only = {*warn_of_dtypes(forward), *warn_of_lacking(forward.lacking)}
    warnings = [
        *opened.source.warnings,
        *(text for text in forward.warnings if text not in forward_only),
        *warnings,
        *_warn_of_lost(by_paddle, opened),
        *_warn_of_left_out(opened, table),
        *_warn_of_unknown_fields(opened),
    ]
    names = tuple(entry.source for entry in by_paddle)
    copied = tuple(entry.source for entry in copies)
    return BackPlan(opened, forward, tuple(made.values()), copied, names, zeroed, tuple(dict.fromkeys(warnings)))


def _follow_back(entries: tuple[Mapped, ...], forward: Plan) -> dict[str, PlannedTensor]:
    """PaddleNLP's name -> the tensor, of every row whose target is there."""
    there = {tensor.target: tensor.source for tensor in forward.tensors}
    made: dict[str, PlannedTensor] = {}
    for entry in entries:
        found = there.get(entry.target)
        if entry.target and found is not None and entry.source not in made:
            made[entry.source] = _turned_back(found, entry)
    return made


def _turned_back(tensor: SourceTensor, entry: Mapped) -> PlannedTensor:
    return PlannedTensor(tensor, entry.source, OPERATIONS[entry.op].inverse, entry.source_shape, tensor.dtype)


def _renamed(tensor: PlannedTensor, name: str) -> PlannedTensor:
    return PlannedTensor(tensor.source, name, tensor.op, tensor.shape, tensor.dtype)


def _no_class(opened: ConvertedFolder) -> list[Problem]:
    if opened.entry.in_paddlenlp:
        return []
    text = f"PaddleNLP has no class {opened.entry.source}, so nothing there could load the folder"
    base = opened.family.base_class
    return [Problem("E044", f"{text}. Its encoder, saved as {base.target}, can go back as {base.source}")]


def _other_widths(opened: ConvertedFolder, forward: Plan) -> list[Problem]:
    """Sizes that PaddleNLP's class computes from others, whatever its config has."""
    sizes, problems = forward.sizes.fields, []
    for size in opened.family.sizes:
        if not size.times:
            continue
        product = sum(sizes[other] * factor for other, factor in size.times.items())
        if sizes[size.field] != product:
            text = f"{size.field} is {sizes[size.field]}, and {opened.entry.source} is built with {product} always"
            problems.append(Problem("E044", f"{text}: PaddleNLP cannot load such weights"))
    return problems


def _is_switched_off(entry: Mapped, forward: Plan) -> bool:
    """Whether PaddleNLP builds the class without the tensor, by the config that is written."""
    part = forward.table.parts.get(entry.part)
    return part is not None and bool(part.switch) and entry.part in forward.absent


def _warn_of_lost(lost: list[Mapped], opened: ConvertedFolder) -> Iterator[str]:
    if lost:
        reads = "its outputs depend on them" if opened.entry.reads_pooler else "no output of it depends on them"
        text = f"{fold_names(entry.source for entry in lost)}: not in OUTPUT. PaddleNLP's {opened.entry.source} starts"
        yield f"{text} with new random values there and says so; {reads}"


def _warn_of_left_out(opened: ConvertedFolder, table: Table) -> Iterator[str]:
    """Tensors of PaddleNLP's class for which the target's has no place, so that OUTPUT has not kept them."""
    scheme = next(scheme for scheme in table.schemes if not scheme.identity)
    dropped = opened.manifest.get("dropped")
    recorded = [row.get("source") for row in dropped if isinstance(row, dict)] if isinstance(dropped, list) else []
    names: dict[str, list[str]] = {}
    for name in recorded:
        why = why_left_out(name, table, scheme) if isinstance(name, str) else ""
        if why:
            names.setdefault(why, []).append(str(name))
    for row in table.left_out:
        if row.head and row.why not in names:
            names[row.why] = [row.source.fill(values) for values in row.source.expand(0)]
    for why, listed in names.items():
        yield f"{fold_names(listed)}: cannot come back, OUTPUT has no such tensors ({why})"


def _warn_of_unknown_fields(opened: ConvertedFolder) -> Iterator[str]:
    """Fields of PaddleNLP's config that decide what the class gives back and that nothing here gives."""
    if opened.entry.head != "choice":
        return
    for field in opened.family.fields_of_paddle_alone:
        if opened.kept_fields.get(field.name) is None:
            text = f"nothing gives {field.name}, which PaddleNLP's {opened.entry.source} shapes its answer by"
            yield f"{text}: set it in config.json of FOLDER if it is not PaddleNLP's default"


def _zeroed_rows(
    entries: tuple[Mapped, ...], made: dict[str, PlannedTensor], opened: ConvertedFolder
) -> Iterator[ZeroedRow]:
    for entry in entries:
        row = opened.source.config.get(entry.zeroed) if entry.zeroed else None
        if row is not None and entry.source in made:
            yield ZeroedRow(made[entry.source], row)
