"""Compare arrays of OUTPUT's model with those that Paddle computed.

Differences are relative to the activation's largest value in the whole trace: the noise of the arithmetic grows with
that, not with the value of one element, which may be small because larger ones cancelled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Callable

from verify.numbers.tolerances import Limits
from verify.protocol.left_out import leave_out
from verify.protocol.projections import project
from verify.results.numbers import NOT_FINITE, SiteResult
from verify.results.trace import Arrays, Case, Trace

if TYPE_CHECKING:
    import numpy as np

#: Stands for a difference where none is allowed: report.json has no infinity.
BEYOND = 1e308


@dataclass(frozen=True)
class Reference:
    """What Paddle computed, with what is needed to compare with it."""

    trace: Trace
    arrays: Arrays
    limits: Limits
    #: Activation, and whether it is kept as products -> its largest value over all cases.
    scales: Mapping[tuple[str, bool], float]

    @classmethod
    def of(cls, trace: Trace, arrays: Arrays) -> Reference:
        return cls(trace, arrays, Limits.of(trace.head), site_scales(trace, arrays))

    def inputs(self, case: Case) -> dict[str, np.ndarray]:
        return {name: self.arrays[case.input_key(name)] for name in case.inputs}

    @cached_property
    def gradient_scales(self) -> dict[tuple[str, str], float]:
        """The largest recorded value of each gradient and part over all cases. Queries and keys count as at least what
        the values of their layer have: theirs is a difference of such numbers. A key's bias has 0, as a
        sum of numbers as large as those of the queries' bias, whose rounding stays."""
        import numpy as np

        scales: dict[tuple[str, str], float] = {}
        for entry in self.trace.head["gradients"]:
            for name, parts in entry["tensors"].items():
                for part in parts:
                    if part != "rows":
                        value = self.arrays[f"gradient/{entry['case']}/{name}/{part}"]
                        largest = float(np.abs(value).max()) if value.size else 0.0
                        scales[name, part] = max(scales.get((name, part), 0.0), largest)
        network = self.trace.family.network
        return {
            (name, part): max(
                scales.get((other, part), 0.0) for other in (name, network.values_of(name), network.queries_of(name))
            )
            for name, part in scales
        }


def site_scales(trace: Trace, arrays: Arrays) -> dict[tuple[str, bool], float]:
    """The largest value of each activation over all cases, separately where it is kept as products; a loss counts as at
    least 1, being a mean of larger terms."""
    import numpy as np

    scales: dict[tuple[str, bool], float] = {}
    for case in trace.cases:
        for site in case.sites:
            recorded = arrays[case.site_key(site)]
            largest = float(np.abs(recorded).max()) if recorded.size else 0.0
            key = site, site in case.projected
            scales[key] = max(scales.get(key, 1.0 if site == "loss" else 0.0), largest)
    return scales


def compare_case(
    found: Mapping[str, np.ndarray],
    case: Case,
    reference: Reference,
    name: str = "",
    choose: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Iterator[SiteResult]:
    """Compare the activations of a case that were found, in the order of the case. `name` is that of the results.
    `choose` takes the inputs that were run out of what was recorded."""
    padded = padded_in(case, reference, choose)
    for site in case.sites:
        if site not in found:
            continue
        projected, value = site in case.projected, found[site]
        if padded is not None:
            value = leave_out(site, value, padded)
        if projected and case.is_of_network:
            value = project(value)
        recorded = reference.arrays[case.site_key(site)]
        recorded = recorded if choose is None else choose(recorded)
        limit = reference.limits.site(site, projected, case.zero_row)
        yield compare_site(name or case.name, site, recorded, value, reference.scales[site, projected], limit)


def padded_in(
    case: Case, reference: Reference, choose: Callable[[np.ndarray], np.ndarray] | None = None
) -> np.ndarray | None:
    """Which tokens of a case are left out; None where none is."""
    if case.left_out is None or not case.is_of_network:
        return None
    padded: np.ndarray = reference.arrays[case.input_key("input_ids")] == case.left_out
    return padded if choose is None else choose(padded)


def compare_site(
    case: str, site: str, reference: np.ndarray, found: np.ndarray, scale: float, tolerance: float
) -> SiteResult:
    """Compare one activation. Another shape fails; so does a number that is not finite, on either side."""
    import numpy as np

    if reference.shape != found.shape:
        problem = f"shape {list(found.shape)}, Paddle's is {list(reference.shape)}"
        return SiteResult(case, site, None, None, tolerance, False, problem)
    for array, side in ((reference, "Paddle's"), (found, "OUTPUT's")):
        finite = np.isfinite(array)
        if not finite.all():
            place = tuple(int(n) for n in np.unravel_index(int(finite.argmin()), finite.shape))
            return SiteResult(case, site, None, None, tolerance, False, f"{side} numbers {NOT_FINITE}", place)
    if reference.size == 0:
        return SiteResult(case, site, None, None, tolerance, False, "empty")
    difference = np.abs(found.astype(np.float64) - reference.astype(np.float64))
    largest = float(difference.max())
    relative = relative_to(scale, largest)
    passed = relative <= tolerance
    worst = () if passed else tuple(int(n) for n in np.unravel_index(int(difference.argmax()), difference.shape))
    return SiteResult(case, site, largest, relative, tolerance, passed, worst=worst)


def relative_to(scale: float, difference: float) -> float:
    if scale > 0:
        return difference / scale
    return 0.0 if difference == 0 else BEYOND


def describe_failure(result: SiteResult) -> str:
    """What is wrong with an activation that differs."""
    measured = result.problem or f"max |difference| {result.max_rel:.1e} of the largest value"
    return f"{result.site} differs: {measured}, allowed {result.tolerance:.0e}"
