"""The cases of a trace through the PyTorch model of OUTPUT, each compared where Paddle's numbers were recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Callable

from verify.numbers.compare import compare_site
from verify.numbers.coverage import Seen, coverage
from verify.numbers.detection_margin import measure_smallest_fault
from verify.numbers.gradients import GradientJudge, functional, recorded_outputs
from verify.numbers.hooks import compute_sites, inside_site, may_lack, of_pooler, sites_alone
from verify.numbers.loading import LoadedModel, describe
from verify.numbers.tolerances import Limits
from verify.protocol.projections import project
from verify.results.numbers import GradientResult, SiteResult, SmallestFault, TensorCoverage
from verify.results.trace import Arrays, Case, Trace
from verify.weights.output_weights import WrittenTensor

if TYPE_CHECKING:
    import numpy as np
    import torch


@dataclass
class Replay:
    """What came of all cases."""

    sites: list[SiteResult] = field(default_factory=list)
    gradients: list[GradientResult] = field(default_factory=list)
    coverage: list[TensorCoverage] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    #: After a pass.
    smallest_fault: SmallestFault | None = None

    @property
    def passed(self) -> bool:
        results: list[SiteResult | GradientResult] = [*self.sites, *self.gradients]
        return not self.problems and all(result.passed for result in results)


def replay_cases(
    trace: Trace, loaded: LoadedModel, written: Mapping[str, WrittenTensor], on_progress: Callable[[str], None]
) -> Replay:
    """Run every case eager, and those that show the attention once more with sdpa, which is what a user gets; then the
    gradients; and where all agree, the smallest fault of the `written` weights."""
    with trace.arrays() as arrays:
        player = Player(trace, arrays, loaded, Limits.of(trace.head), site_scales(trace, arrays))
        for number, case in enumerate(trace.cases):
            on_progress(f"PyTorch: case {number + 1} of {len(trace.cases)}, {case.name}")
            player.run_case(case, "eager")
        use_attention(loaded.model, "sdpa")
        for case in trace.cases:
            if _shows_attention(case):
                on_progress(f"PyTorch with sdpa: {case.name}")
                player.run_case(case, "sdpa")
        for attention in ("eager", "sdpa"):
            use_attention(loaded.model, attention)
            player.run_gradients(attention, on_progress)
        player.count_coverage()
        if player.done.passed:
            use_attention(loaded.model, "eager")
            player.done.smallest_fault = measure_smallest_fault(player, written, on_progress)
    return player.done


def site_scales(trace: Trace, arrays: Arrays) -> dict[tuple[str, bool], float]:
    """The largest value of each site over all cases, apart where it is kept as products; a loss counts as at least 1,
    being a mean of larger terms."""
    import numpy as np

    scales: dict[tuple[str, bool], float] = {}
    for case in trace.cases:
        for site in case.sites:
            recorded = arrays[case.site_key(site)]
            largest = float(np.abs(recorded).max()) if recorded.size else 0.0
            key = site, site in case.projected
            scales[key] = max(scales.get(key, 1.0 if site == "loss" else 0.0), largest)
    return scales


def _shows_attention(case: Case) -> bool:
    """Whether a case is worth another run with sdpa: every form of mask, none, and the longest text."""
    labelled = "labels" in case.inputs or "start_positions" in case.inputs
    return ("attention_mask" in case.inputs and not labelled) or case.name in ("batch", "ids.zero_and_pad", "longest")


def use_attention(model: Any, name: str) -> None:
    if hasattr(model, "set_attn_implementation"):
        model.set_attn_implementation(name)
    else:
        model.config._attn_implementation = name


@dataclass
class Player:
    """Runs cases through one loaded model and keeps what comes of them."""

    trace: Trace
    arrays: Arrays
    loaded: LoadedModel
    limits: Limits
    scales: dict[tuple[str, bool], float]
    done: Replay = field(default_factory=Replay)
    seen: Seen = field(default_factory=Seen)

    def again(self) -> Player:
        """The same, with nothing done yet."""
        return replace(self, done=Replay(), seen=Seen())

    def _inputs(self, case: Case) -> dict[str, np.ndarray]:
        return {key: self.arrays[case.input_key(key)] for key in case.inputs}

    def size_of(self, case: Case) -> int:
        """How many numbers go in; the time that a case takes rises with it."""
        return sum(array.size for array in self._inputs(case).values())

    def run_case(self, case: Case, attention: str) -> None:
        """Run one case and add its results. What OUTPUT's code raises is a problem of OUTPUT."""
        name = case.name if attention == "eager" else f"{case.name} ({attention})"
        try:
            if case.through in ("model", "backbone"):
                found = {key: value.numpy() for key, value in self._call(case, attention).items()}
            else:
                found = sites_alone(case, self._inputs(case), self.loaded)
        except Exception as error:
            self.done.problems.append(f"case {name} ({case.why}): the model raises {describe(error)}")
            return
        for site in case.sites:
            self._judge_site(case, name, attention, site, found.get(site))

    def _call(self, case: Case, attention: str) -> dict[str, torch.Tensor]:
        import torch

        with torch.no_grad():
            return compute_sites(case, self._inputs(case), self.loaded, attention)

    def _judge_site(self, case: Case, name: str, attention: str, site: str, found: np.ndarray | None) -> None:
        projected = site in case.projected
        tolerance = self.limits.site(site, projected, case.zero_row)
        if found is not None:
            if projected and case.through in ("model", "backbone"):
                found = project(found)
            reference = self.arrays[case.site_key(site)]
            scale = self.scales[site, projected]
            self.done.sites.append(compare_site(name, site, reference, found, scale, tolerance))
        elif not may_lack(site, self.loaded, attention):
            problem = "OUTPUT's model does not give it"
            self.done.sites.append(SiteResult(name, site, None, None, tolerance, False, problem))
        elif inside_site(site) and not of_pooler(site) and attention == "eager":
            text = "the model's code has no module of the usual name for sites inside the layers, such as " + site
            if not any(warning.startswith(text[:60]) for warning in self.done.warnings):
                self.done.warnings.append(text)

    def run_gradients(self, attention: str, on_progress: Callable[[str], None]) -> None:
        """The gradients of every parameter, in each case that has them in the trace."""
        known = {case.name: case for case in self.trace.cases}
        judge = GradientJudge(self.trace, self.arrays, self.limits, self.seen)
        for entry in self.trace.head["gradients"]:
            case = known[entry["case"]]
            name = case.name if attention == "eager" else f"{case.name} ({attention})"
            on_progress(f"PyTorch: gradients of case {name}")
            end = judge.watch(self.loaded.model, case.name, name)
            try:
                sites = compute_sites(case, self._inputs(case), self.loaded, attention)
                names = recorded_outputs(case.sites, not may_lack("pooler_output", self.loaded, attention))
                total = sites["loss"] if entry["of"] == "loss" else functional(sites, names, self.trace.precision)
                total.backward()  # type: ignore[no-untyped-call]
            except Exception as error:
                self.done.problems.append(f"gradients of case {name}: the model raises {describe(error)}")
            finally:
                end()
                self.loaded.model.zero_grad(set_to_none=True)
        self.done.gradients += judge.results

    def count_coverage(self) -> None:
        sites = {site.site for site in self.done.sites}
        alone = {site for case in self.trace.cases if case.through not in ("model", "backbone") for site in case.sites}
        inside = {site.removeprefix("layers.") for site in sites if inside_site(site)}
        self.done.coverage = coverage(self.seen, self.loaded.model, alone & sites, inside)
