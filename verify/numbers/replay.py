"""Run the cases of a trace through OUTPUT's PyTorch model, and compare wherever Paddle's numbers were recorded."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from converter.common.progress import OnProgress, Progress
from verify.numbers.compare import Reference, compare_case
from verify.numbers.coverage import CoverageMask, coverage
from verify.numbers.gradients import GradientComparison, functional, sparse_tables
from verify.numbers.hooks import compute_sites, may_lack, run_alone
from verify.numbers.loading import LoadedModel, describe
from verify.protocol.gradient_functional import functional_sites
from verify.results.numbers import GradientResult, SiteResult, TensorCoverage
from verify.results.trace import Case

if TYPE_CHECKING:
    import numpy as np

_NO_MODULE = "the model's code has no module of the usual name for sites inside the layers, such as "


@dataclass
class ReplayResult:
    """The results of all cases."""

    sites: list[SiteResult] = field(default_factory=list)
    gradients: list[GradientResult] = field(default_factory=list)
    coverage: list[TensorCoverage] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        results: list[SiteResult | GradientResult] = [*self.sites, *self.gradients]
        return not self.problems and all(result.passed for result in results)


def replay_cases(reference: Reference, loaded: LoadedModel, on_progress: OnProgress) -> CaseRunner:
    """Run every case eager, and those that show the attention once more with sdpa, which is what a user gets where the
    class has it; then the gradients. The results are in the runner, whose model is left with that attention."""
    runner = CaseRunner(reference, loaded)
    cases = reference.trace.cases
    for number, case in enumerate(cases):
        detail = f"case {number + 1} of {len(cases)}, {case.name}"
        on_progress(Progress("PyTorch", detail, number + 1, len(cases)))
        runner.run_case(case, "eager")
    for attention in loaded.attentions[1:]:
        use_attention(loaded.model, attention)
        for case in cases:
            if _shows_attention(case):
                on_progress(Progress(f"PyTorch with {attention}", case.name))
                runner.run_case(case, attention)
    for attention in loaded.attentions:
        use_attention(loaded.model, attention)
        runner.run_gradients(attention, on_progress)
    runner.count_coverage()
    return runner


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
class CaseRunner:
    """Runs cases through one loaded model and keeps the results."""

    reference: Reference
    loaded: LoadedModel
    result: ReplayResult = field(default_factory=ReplayResult)
    mask: CoverageMask = field(default_factory=CoverageMask)

    def fresh(self) -> CaseRunner:
        """The same without results."""
        return replace(self, result=ReplayResult(), mask=CoverageMask())

    def size_of(self, case: Case) -> int:
        """How many numbers go in; the time that a case takes rises with it."""
        return sum(array.size for array in self.reference.inputs(case).values())

    def run_case(self, case: Case, attention: str) -> None:
        """Run one case and add its results. What OUTPUT's code raises is a problem of OUTPUT."""
        name = case.name if attention == "eager" else f"{case.name} ({attention})"
        try:
            found = self._compute(case, attention)
        except Exception as error:
            self.result.problems.append(f"case {name} ({case.why}): the model raises {describe(error)}")
            return
        compared = {each.site: each for each in compare_case(found, case, self.reference, name)}
        for site in case.sites:
            if site in compared:
                self.result.sites.append(compared[site])
            else:
                self._add_missing(case, name, attention, site)

    def _compute(self, case: Case, attention: str) -> dict[str, np.ndarray]:
        import torch

        inputs = self.reference.inputs(case)
        if not case.is_of_network:
            return run_alone(case, inputs, self.loaded)
        with torch.no_grad():
            return {name: value.numpy() for name, value in compute_sites(case, inputs, self.loaded, attention).items()}

    def _add_missing(self, case: Case, name: str, attention: str, site: str) -> None:
        network = self.loaded.family.network
        if not may_lack(site, self.loaded, attention):
            limit = self.reference.limits.site(site, site in case.projected, case.zero_row)
            problem = "OUTPUT's model does not give it"
            self.result.sites.append(SiteResult(name, site, None, None, limit, False, problem))
            return
        is_warned = any(warning.startswith(_NO_MODULE) for warning in self.result.warnings)
        if network.is_internal(site) and not network.is_of_pooler(site) and attention == "eager" and not is_warned:
            self.result.warnings.append(_NO_MODULE + site)

    def run_gradients(self, attention: str, on_progress: OnProgress) -> None:
        """The gradients of every parameter, in each case that has them in the trace."""
        trace = self.reference.trace
        known = {case.name: case for case in trace.cases}
        pooler = self.loaded.family.network.pooler
        has_pooler = pooler is None or not may_lack(pooler.name, self.loaded, attention)
        comparison = GradientComparison(self.reference, self.loaded, self.mask)
        for entry in trace.head["gradients"]:
            case = known[entry["case"]]
            name = case.name if attention == "eager" else f"{case.name} ({attention})"
            on_progress(Progress("PyTorch", f"gradients of case {name}"))
            end = comparison.watch(case.name, name)
            try:
                with sparse_tables(self.loaded.model):  # It is the forward call that decides.
                    sites = compute_sites(case, self.reference.inputs(case), self.loaded, attention)
                names = list(functional_sites(case.sites, has_pooler))
                total = sites["loss"] if entry["of"] == "loss" else functional(sites, names, trace.precision)
                total.backward()  # type: ignore[no-untyped-call]
            except Exception as error:
                self.result.problems.append(f"gradients of case {name}: the model raises {describe(error)}")
            finally:
                end()
                self.loaded.model.zero_grad(set_to_none=True)
        self.result.gradients += comparison.results

    def count_coverage(self) -> None:
        """Which elements the gradients and the modules that were run alone show."""
        sites = {site.site for site in self.result.sites}
        alone = {site for case in self.reference.trace.cases if not case.is_of_network for site in case.sites}
        self.result.coverage = coverage(self.mask, self.loaded.model, self.loaded.family, alone & sites)
