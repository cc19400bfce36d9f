"""The effect of the smallest fault that a weight can have on the numbers, measured in OUTPUT's own model after a pass.

The noise of a sound model lies below its limits; this measures how far above them a fault lies, which shows that the
limits separate the two in this very model. docs/verify.md describes what is measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from converter.common.progress import OnProgress, Progress
from mappings.family import Family
from mappings.network import Network
from verify.numbers.compare import BEYOND
from verify.numbers.coverage import covered_alone
from verify.numbers.replay import CaseRunner
from verify.numbers.shared import share
from verify.results.numbers import GradientResult, SiteResult, SmallestFault, share_of_limit
from verify.results.precision import UNITS
from verify.results.trace import Case
from verify.weights.output_weights import WrittenTensor
from verify.weights.ulp import Change, typical_change

if TYPE_CHECKING:
    import torch

#: Of the elements that are drawn.
SEED = 1905
#: So many times its limit is clearly above it: no other input is asked. Else a few short ones are.
_CLEAR, _FEW = 10.0, 12


def measure_smallest_fault(
    runner: CaseRunner, written: Mapping[str, WrittenTensor], on_progress: OnProgress
) -> SmallestFault:
    """Change a typical element of one tensor of each kind, one at a time, and run a short case. The model is as it was
    afterwards. A tensor stored in the precision of the comparison, or a finer one, is passed over."""
    parameters = dict(runner.loaded.model.named_parameters())
    names = [name for name in choose_tensors(parameters, runner.loaded.family.network) if name in written]
    fitting = [name for name in names if UNITS.get(written[name].dtype, 0.0) > runner.reference.limits.unit]
    if not fitting:
        return SmallestFault(None, why=_too_coarse(runner.reference.limits.precision))
    changes = [change for name in fitting for change in [typical_change(written[name], SEED)] if change is not None]
    if not changes:
        return SmallestFault(None, why="every weight that was looked at is 0, which has no last place")
    on_progress(Progress("PyTorch", f"{len(changes)} weights by one unit in their last place"))
    cases = sorted(runner.reference.trace.cases, key=runner.size_of)

    def measure(change: Change, number: int) -> SmallestFault:
        short = short_case(runner.reference.trace.cases, change.tensor, runner.loaded.family)
        return _measure(runner, parameters, change, [short], _CLEAR)

    found = {change.tensor: fault for change, fault in zip(changes, share(measure, changes))}
    network = [case for case in cases if case.is_of_network]
    _look_further(runner, parameters, changes, found, network[:_FEW], _CLEAR)
    _look_further(runner, parameters, changes, found, cases, 1.0)
    return smallest_of(found.values())


def _look_further(
    runner: CaseRunner,
    parameters: Mapping[str, torch.nn.Parameter],
    changes: Sequence[Change],
    found: dict[str, SmallestFault],
    cases: Sequence[Case],
    enough: float,
) -> None:
    """What the short input hardly shows others may: as long as the least of all shows no more than `enough`."""
    known, tried = {change.tensor: change for change in changes}, set()
    least = smallest_of(found.values())
    while least.ratio is not None and least.ratio <= enough and least.tensor not in tried:
        other = _measure(runner, parameters, known[least.tensor], cases, enough)
        found[least.tensor] = max(found[least.tensor], other, key=lambda fault: fault.ratio or 0.0)
        tried.add(least.tensor)
        least = smallest_of(found.values())


def _too_coarse(precision: str) -> str:
    more = "; --precision float64 measures it" if precision != "float64" else ""
    return f"the comparison in {precision} itself rounds by one unit in the last place of these weights{more}"


def choose_tensors(names: Iterable[str], network: Network) -> list[str]:
    """Every tensor that is in no layer, and those of the first and the last layer."""
    places = {name: network.layer_of_parameter(name) for name in names}
    numbers = {number for number in places.values() if number is not None}
    ends = {min(numbers), max(numbers)} if numbers else set()
    return [name for name, number in places.items() if number is None or number in ends]


def _measure(
    runner: CaseRunner,
    parameters: Mapping[str, torch.nn.Parameter],
    change: Change,
    cases: Sequence[Case],
    enough: float,
) -> SmallestFault:
    """Up to the first of these cases that shows more than `enough`."""
    fresh = runner.fresh()
    with moved(parameters[change.tensor].data, change.place, change.moved):
        for case in cases:
            fresh.run_case(case, "eager")
            if any(share_of_limit(site) > enough for site in fresh.result.sites):
                break
    if not fresh.result.sites:
        return SmallestFault(0.0, change.tensor, change.place, "none", cases[0].name, 1)
    return fault_at(change.tensor, change.place, max(fresh.result.sites, key=share_of_limit))


def short_case(cases: Sequence[Case], tensor: str, family: Family) -> Case:
    """For a table or a norm the case that runs it alone; for any other tensor the case without a mask that has most
    activations, a sentence of some tokens."""
    for case in cases:
        if not case.is_of_network and covered_alone(tensor, family, {case.through, *case.sites}):
            return case
    network = [case for case in cases if case.is_of_network] or list(cases)
    plain = [case for case in network if case.inputs == ("input_ids",)]
    return max(plain or network, key=lambda case: len(case.sites))


def fault_at(tensor: str, element: tuple[int, ...], result: SiteResult | GradientResult) -> SmallestFault:
    site = result.site if isinstance(result, SiteResult) else f"gradient of {result.tensor}"
    return SmallestFault(min(share_of_limit(result), BEYOND), tensor, element, site, result.case, 1)


def smallest_of(faults: Iterable[SmallestFault]) -> SmallestFault:
    """The one that shows least; those without a number count for nothing where another has one."""
    known = list(faults)
    measured = [fault for fault in known if fault.ratio is not None]
    if not measured:
        return known[0]
    least = min(measured, key=lambda fault: fault.ratio or 0.0)
    return replace(least, tried=sum(fault.tried for fault in known))


@contextmanager
def moved(tensor: torch.Tensor, place: tuple[int, ...], value: float) -> Iterator[None]:
    """One element of a parameter holds another value for as long as the block lasts."""
    kept = tensor[place].clone()
    try:
        tensor[place] = value
        yield
    finally:
        tensor[place] = kept
