"""Check OUTPUT's weights: the inverse of each operation on the written tensor must be the source, bit for bit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Callable

from converter.common.errors import Problem
from converter.common.layout import EXTRAS_FILE
from converter.files.mapped_file import release_pages
from converter.files.tensors import DTYPES, FLOATING, MappedBytes
from mappings import OPERATIONS
from verify.results.checks import StaticResult
from verify.results.findings import Finding, fold_findings
from verify.weights.output_weights import WrittenTensor, WrittenWeights
from verify.weights.rounding import ROUNDED_TARGETS, wrongly_rounded

if TYPE_CHECKING:
    import numpy as np

    from converter.plan.plan import Plan, PlannedTensor

_BLOCK_BYTES = 16 << 20
_OTHER_FACTS = "have another shape or dtype than in SOURCE"
#: Called with the number of tensors done and the whole.
Advance = Callable[[int, int], None]


def check_weights(plan: Plan, written: WrittenWeights, advance: Advance) -> tuple[StaticResult, list[Problem]]:
    """Check every tensor of the plan, and that there are no others."""
    findings: list[Finding] = []
    rounded = 0
    for number, planned in enumerate(plan.tensors):
        found = written.tensors.get(planned.target)
        if found is None:
            findings.append(Finding("are not in OUTPUT", planned.target, _missing(planned)))
        elif (problem := _check_facts(planned, found)) is not None:
            findings.append(Finding(_OTHER_FACTS, planned.target, problem))
        else:
            rounded += found.dtype != planned.source.dtype
            # What a wrong tensor holds instead is looked for only while few are wrong.
            problem = _check_values(planned, found, plan.tensors if len(findings) < 8 else ())
            findings += [Finding("differ from SOURCE's", planned.target, problem)] if problem is not None else []
        advance(number + 1, len(plan.tensors))
    release_source(plan)
    for planned in plan.extras:
        problem = _check_extra(planned, written.extras.get(planned.target))
        if problem is not None:
            findings.append(Finding(f"are not kept as they were in {EXTRAS_FILE}", planned.target, problem))
    extra = sorted(set(written.tensors) - {planned.target for planned in plan.tensors})
    extra += sorted(set(written.extras) - {planned.target for planned in plan.extras})
    findings += [Finding("are in OUTPUT alone", name, _surplus(name)) for name in extra]
    names = tuple(finding.name for finding in findings)
    problems = [*fold_findings(findings), *_check_dtypes(plan, written)]
    return StaticResult(len(plan.tensors) + len(plan.extras), names, rounded=rounded), problems


def release_source(plan: Plan) -> None:
    """Take the pages of SOURCE that were compared out of memory, in which both frameworks' models come next."""
    runs = (run for planned in plan.tensors for run in planned.source.runs)
    for buffer in {id(run.buffer): run.buffer for run in runs if isinstance(run, MappedBytes)}.values():
        release_pages(buffer)


def _surplus(name: str) -> Problem:
    return Problem("E404", f"{name}: no source tensor becomes this, and the file holds it")


def _check_extra(planned: PlannedTensor, found: WrittenTensor | None) -> Problem | None:
    """What is kept as it was has the source's dtype, whatever the model was converted to."""
    if found is None:
        return Problem("E404", f"{planned.target}: not in {EXTRAS_FILE}, where it should be kept")
    if found.dtype != planned.dtype:
        return Problem("E404", f"{planned.target}: {found.dtype} in {EXTRAS_FILE}, the source is {planned.dtype}")
    return _check_facts(planned, found) or _check_values(planned, found, ())


def _missing(planned: PlannedTensor) -> Problem:
    return Problem("E404", f"{planned.target} is not in OUTPUT; SOURCE's {planned.source.name} becomes it")


def _check_facts(planned: PlannedTensor, found: WrittenTensor) -> Problem | None:
    if found.shape != planned.shape:
        return Problem("E404", f"{found.name} is {list(found.shape)}, expected {list(planned.shape)}")
    if found.dtype != planned.source.dtype and not (
        found.dtype in ROUNDED_TARGETS and planned.source.dtype in FLOATING
    ):
        return Problem("E404", f"{found.name} is {found.dtype}, the source is {planned.source.dtype}")
    return None


def converted_to(plan: Plan, written: WrittenWeights) -> str | None:
    """The dtype that every tensor was converted to, or None when they have their source's, or not all the same."""
    found = {_dtype(written, planned) for planned in plan.tensors}
    if len(found) != 1 or found == {planned.source.dtype for planned in plan.tensors}:
        return None
    return found.pop()


def _check_dtypes(plan: Plan, written: WrittenWeights) -> list[Problem]:
    """A conversion to another dtype takes all tensors to one: a single one that was converted is a fault."""
    kept = [planned for planned in plan.tensors if _dtype(written, planned) == planned.source.dtype]
    changed = [planned for planned in plan.tensors if _dtype(written, planned) not in (None, planned.source.dtype)]
    aims = {_dtype(written, planned) for planned in changed}
    odd = [planned.target for planned in kept if planned.source.dtype not in aims] if changed else []
    if len(aims) > 1 or odd:
        names = ", ".join(planned.target for planned in changed[:3])
        return [Problem("E404", f"some tensors have another dtype than the source ({names}), and others do not")]
    return []


def _dtype(written: WrittenWeights, planned: PlannedTensor) -> str | None:
    found = written.tensors.get(planned.target)
    return None if found is None else found.dtype


def _check_values(planned: PlannedTensor, found: WrittenTensor, others: Sequence[PlannedTensor]) -> Problem | None:
    source, back = planned.source.read(), OPERATIONS[planned.op].invert(found.read())
    wrong, first = count_differences(source, planned.source.dtype, back, found.dtype)
    if not wrong:
        return None
    place = f"{planned.source.name}[{', '.join(map(str, first))}]"
    differs = f"{wrong:,} of {source.size:,} elements differ from SOURCE's {planned.source.name}"
    return Problem("E401", f"{found.name}: {differs}, the first at {place}{_explain(planned, found, others)}")


def count_differences(source: np.ndarray, dtype: str, back: np.ndarray, back_dtype: str) -> tuple[int, tuple[int, ...]]:
    """How many elements differ, and the index of the first; block by block over rows."""
    import numpy as np

    if source.ndim == 0:
        source, back = source.reshape(1), back.reshape(1)
    row_bytes = max(1, source.nbytes // max(1, len(source)))
    step = max(1, _BLOCK_BYTES // row_bytes)
    wrong = 0
    first: tuple[int, ...] = ()
    for start in range(0, len(source), step):
        one, other = source[start : start + step], back[start : start + step]
        if dtype == back_dtype:
            differs = as_bits(one, dtype) != as_bits(other, dtype)
        else:
            differs = wrongly_rounded(one, dtype, other, back_dtype)
        count = int(np.count_nonzero(differs))
        if count and not wrong:
            place = np.unravel_index(int(np.argmax(differs)), differs.shape)
            first = (int(place[0]) + start, *map(int, place[1:]))
        wrong += count
    return wrong, first


def as_bits(array: np.ndarray, dtype: str) -> np.ndarray:
    """The same bytes as whole numbers: -0.0 and 0.0 differ, a NaN equals itself."""
    return array.view(f"<u{DTYPES[dtype][1]}")


def _explain(planned: PlannedTensor, found: WrittenTensor, others: Sequence[PlannedTensor]) -> str:
    """What it holds instead, if that can be found."""
    if found.dtype != planned.source.dtype:
        return ""
    bits = as_bits(found.read(), found.dtype)
    for other in others:
        for name, operation in OPERATIONS.items():
            source = other.source
            if source.dtype != found.dtype or len(source.shape) not in operation.ranks:
                continue
            if operation.target_shape(source.shape) != found.shape or (other is planned and name == planned.op):
                continue
            offered = as_bits(operation.apply(source.read()), source.dtype)
            if (offered[:1] == bits[:1]).all() and (offered == bits).all():
                what = "this very tensor" if other is planned else source.name
                how = {"keep": "not transposed", "transpose": "transposed"}[name]
                return f". It holds {what}" + ("" if other is not planned and name == other.op else f", {how}")
    return ""
