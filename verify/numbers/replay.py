"""Run the cases of a trace through OUTPUT's PyTorch model, and compare wherever Paddle's numbers were recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from converter.common.progress import OnProgress, Progress
from verify.numbers.compare import Reference, compare_case
from verify.numbers.coverage import CoverageMask, coverage
from verify.numbers.gradients import GradientComparison, functional, sparse_tables
from verify.numbers.hooks import compute_sites, may_lack, run_alone
from verify.numbers.loading import EAGER, LoadedModel, describe
from verify.numbers.shared import share
from verify.protocol.gradient_functional import functional_sites
from verify.results.numbers import GradientResult, SiteResult, TensorCoverage
from verify.results.trace import Case

if TYPE_CHECKING:
    import numpy as np

#: What a backward pass takes of a forward one, and so many rows of a table take as long as one token.
_BACKWARD, _ROWS_PER_TOKEN = 3, 300
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


@dataclass(frozen=True)
class Task:
    """A case with one implementation of the attention. With their entry in the trace its gradients, and eager the case
    too: both come from one forward pass."""

    case: Case
    attention: str
    gradients: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """The name of the results."""
        return self.case.name if self.attention == EAGER else f"{self.case.name} ({self.attention})"

    @property
    def title(self) -> str:
        return self.name if self.gradients is None else f"{self.name} and its gradients"


def replay_cases(reference: Reference, loaded: LoadedModel, on_progress: OnProgress) -> CaseRunner:
    """Run every case eager, and those that show the attention once more with sdpa, which is what a user gets where the
    class has it; then the gradients. The results are in the runner, whose model is left with that attention."""
    runner = CaseRunner(reference, loaded)
    _ = reference.gradient_scales  # Computed once, before this process is copied.
    tasks = list_tasks(reference, loaded.attentions)

    def run(task: Task, number: int) -> tuple[ReplayResult, CoverageMask]:
        on_progress(Progress("PyTorch", task.title, number + 1, len(tasks)))
        use_attention(loaded.model, task.attention)
        one = runner.fresh()
        if task.gradients is None:
            one.run_case(task.case, task.attention)
        else:
            one.run_gradients(task, with_sites=task.attention == EAGER)
        runner.mask.whole |= one.mask.whole  # In this process they need not be looked at again.
        return one.result, one.mask

    for result, mask in share(run, tasks, runner.cost_of):
        runner.add(result, mask)
    use_attention(loaded.model, loaded.attentions[-1])
    runner.count_coverage()
    return runner


def list_tasks(reference: Reference, attentions: Sequence[str]) -> list[Task]:
    """Everything that is run, in the order of the report."""
    cases, entries = reference.trace.cases, {entry["case"]: entry for entry in reference.trace.head["gradients"]}
    tasks = [Task(case, EAGER, entries.get(case.name)) for case in cases]
    for attention in attentions[1:]:
        tasks += [Task(case, attention) for case in cases if _shows_attention(case)]
        tasks += list_gradients(reference, attention)
    return tasks


def list_gradients(reference: Reference, attention: str) -> list[Task]:
    """Each case that has gradients in the trace."""
    known = {case.name: case for case in reference.trace.cases}
    return [Task(known[entry["case"]], attention, entry) for entry in reference.trace.head["gradients"]]


def _shows_attention(case: Case) -> bool:
    """Whether a case is worth another run with sdpa: every form of mask, none, and the longest text."""
    labelled = "labels" in case.inputs or "start_positions" in case.inputs
    return ("attention_mask" in case.inputs and not labelled) or case.name in ("batch", "ids.zero_and_pad", "longest")


def use_attention(model: Any, name: str) -> None:
    if hasattr(model, "set_attn_implementation"):
        model.set_attn_implementation(name)
    else:
        model.config._attn_implementation = name


def _is_known(warning: str, warnings: Sequence[str]) -> bool:
    """Whether there is such a warning already: of modules that are missing only the first is named."""
    return any(known.startswith(_NO_MODULE) for known in warnings) if warning.startswith(_NO_MODULE) else False


@dataclass
class CaseRunner:
    """Runs cases through one loaded model and keeps the results."""

    reference: Reference
    loaded: LoadedModel
    result: ReplayResult = field(default_factory=ReplayResult)
    mask: CoverageMask = field(default_factory=CoverageMask)

    def fresh(self) -> CaseRunner:
        """The same without results. What is known to be covered need not be looked at again."""
        return replace(self, result=ReplayResult(), mask=CoverageMask(whole=set(self.mask.whole)))

    def add(self, result: ReplayResult, mask: CoverageMask) -> None:
        """Add the results of another runner of the same model."""
        self.result.sites += result.sites
        self.result.gradients += result.gradients
        self.result.problems += result.problems
        self.result.warnings += [line for line in result.warnings if not _is_known(line, self.result.warnings)]
        self.mask.merge(mask)

    def cost_of(self, task: Task) -> float:
        """Tokens that go through the network, or what takes about as long."""
        if not task.case.is_of_network:
            recorded = (self.reference.arrays[task.case.site_key(site)] for site in task.case.sites)
            return sum(len(array) for array in recorded) / _ROWS_PER_TOKEN
        ids = self.reference.inputs(task.case).get("input_ids")
        tokens = 0 if ids is None else int(ids.size)
        return tokens * (1 if task.gradients is None else _BACKWARD)

    def size_of(self, case: Case) -> int:
        """How many numbers go in; the time that a case takes rises with it."""
        return sum(array.size for array in self.reference.inputs(case).values())

    def run_case(self, case: Case, attention: str) -> None:
        """Run one case and add its results. What OUTPUT's code raises is a problem of OUTPUT."""
        name = Task(case, attention).name
        try:
            found = self._compute(case, attention)
        except Exception as error:
            self.result.problems.append(f"case {name} ({case.why}): the model raises {describe(error)}")
            return
        self._compare(found, case, attention)

    def _compare(self, found: Mapping[str, np.ndarray], case: Case, attention: str) -> None:
        name = Task(case, attention).name
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
        line = _NO_MODULE + site
        if network.is_internal(site) and not network.is_of_pooler(site) and attention == EAGER:
            self.result.warnings += [line] if not _is_known(line, self.result.warnings) else []

    def run_gradients(self, task: Task, with_sites: bool = False) -> None:
        """The gradients of every parameter in one case, and its activations too if asked for."""
        assert task.gradients is not None
        case, attention, entry, trace = task.case, task.attention, task.gradients, self.reference.trace
        pooler = self.loaded.family.network.pooler
        has_pooler = pooler is None or not may_lack(pooler.name, self.loaded, attention)
        comparison = GradientComparison(self.reference, self.loaded, self.mask)
        end = comparison.watch(case.name, task.name)
        try:
            with sparse_tables(self.loaded.model):  # It is the forward call that decides.
                sites = compute_sites(case, self.reference.inputs(case), self.loaded, attention)
            if with_sites:
                self._compare({name: value.detach().numpy() for name, value in sites.items()}, case, attention)
            names = list(functional_sites(case.sites, has_pooler))
            total = sites["loss"] if entry["of"] == "loss" else functional(sites, names, trace.precision)
            total.backward()  # type: ignore[no-untyped-call]
        except Exception as error:
            what = "case" if with_sites else "gradients of case"
            self.result.problems.append(f"{what} {task.name} ({case.why}): the model raises {describe(error)}")
        finally:
            end()
            self.loaded.model.zero_grad(set_to_none=True)
        self.result.gradients += comparison.results

    def count_coverage(self) -> None:
        """Which elements the gradients and the modules that were run alone show."""
        sites = {site.site for site in self.result.sites}
        alone = {site for case in self.reference.trace.cases if not case.is_of_network for site in case.sites}
        self.result.coverage = coverage(self.mask, self.loaded.model, self.loaded.family, alone & sites)
