"""Run every case of a model: the modules alone, the network, the gradients, and how errors are amplified. Each of these
tasks stands for itself, so that this process and a copy of it share them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from verify.protocol.beside import share_tasks
from verify.protocol.left_out import leave_out
from verify.protocol.messages import report_progress
from verify.protocol.projections import is_large, project
from verify.recorder.cases.isolated_modules import linears_case, norms_case, table_case, zeroed_row
from verify.recorder.errors import Broken, Refused
from verify.recorder.model.activations import Activations, Case
from verify.recorder.model.error_amplification import measure_amplification
from verify.recorder.model.gradients import gradients_of

#: In forward passes of the case: a backward one takes twice as long, and the growth of errors is two of both.
_TIMES = {"forward": 1, "gradients": 3, "growth": 6}
#: Tokens of a case that is long.
_LONG = 256
#: So many rows of a table take as long as one token through the network.
_ROWS_PER_TOKEN = 300


@dataclass(frozen=True)
class Task:
    """What to run: a table's rows by the table's name, "norms", "linears", or a case: forwards, also backwards
    ("gradients"), or both and once more with disturbed embeddings ("growth")."""

    kind: str
    case: Any = None
    #: About how many tokens through the network take as long.
    cost: float = 0.0

    @property
    def needs_memory(self) -> bool:
        """The attention of a long text grows with its square."""
        return self.kind == "forward" and self.cost > _LONG

    @property
    def title(self) -> str:
        if self.case is None:
            return "every row of " + self.kind if self.kind not in ("norms", "linears") else "all " + self.kind
        more = {"gradients": " and its gradients", "growth": ", its gradients, and how errors grow"}
        return str(self.case["name"]) + more.get(self.kind, "")


@dataclass
class Found:
    """What the trace gets of one task: arrays, and entries of its head."""

    arrays: dict[str, Any] = field(default_factory=dict)
    cases: list[dict[str, Any]] = field(default_factory=list)
    gradients: list[dict[str, Any]] = field(default_factory=list)
    growth: dict[str, Any] = field(default_factory=dict)

    def add(self, other: Found) -> None:
        self.arrays.update(other.arrays)
        self.cases += other.cases
        self.gradients += other.gradients
        self.growth.update(other.growth)


def run_cases(activations: Activations, cases: list[Case], seed: int, pooler: bool) -> Found:
    """The trace's arrays, and its head's fields of cases, gradients and error amplification, in the order of the tasks.
    `pooler`: whether the weights have one. Raises Refused or Broken."""
    first = check_repeats(activations, cases[0])
    cases = [mark_left_out(activations, case) for case in cases]
    runner = CaseRunner(activations, cases[0], first, seed, pooler)
    tasks = list_tasks(activations, cases)
    whole = Found()

    def run(task: Task, number: int) -> Found:
        report_progress("Paddle", task.title, number + 1, len(tasks))
        return runner.run(task)

    for found in share_tasks(run, tasks, lambda task: task.cost, needs_memory=lambda task: task.needs_memory):
        whole.add(found)
    return whole


def list_tasks(activations: Activations, cases: list[Case]) -> list[Task]:
    """Everything that is run, in the order of the trace."""
    tasks = [Task(part, cost=table.weight.shape[0] / _ROWS_PER_TOKEN) for part, table in activations.tables.items()]
    tasks += [Task("norms"), Task("linears")]
    kinds = ["growth", *("gradients" if case.get("gradient") else "forward" for case in cases[1:])]
    return tasks + [Task(kind, case, _TIMES[kind] * count_tokens(case)) for kind, case in zip(kinds, cases)]


def count_tokens(case: Case) -> int:
    """How many tokens go in: vectors in place of ids have one dimension more."""
    inputs = case["inputs"]
    shape = inputs["input_ids"].shape if "input_ids" in inputs else inputs["inputs_embeds"].shape[:-1]
    return int(np.prod(shape))


@dataclass
class CaseRunner:
    """Runs tasks through one model. `sites`: the activations of the first case."""

    activations: Activations
    first: Case
    sites: dict[str, Any]
    seed: int
    pooler: bool

    def run(self, task: Task) -> Found:
        """Raises Refused where Paddle's numbers are not finite."""
        if task.kind == "gradients":
            return self._gradients(task.case)[0]
        if task.kind == "growth":
            return self._growth(task.case)
        if task.kind == "forward":
            return self._keep(*self._as_kept(task.case, self.activations.run(task.case)))
        if task.kind == "norms":
            return self._keep(*norms_case(self.activations, self.seed))
        if task.kind == "linears":
            return self._keep(*linears_case(self.activations, self.pooler))
        return self._keep(*table_case(task.kind, self.activations.tables[task.kind]))

    def _as_kept(self, case: Case, sites: Iterable[tuple[str, Any]]) -> tuple[Case, list[tuple[str, Any]]]:
        """A case and its sites as they are kept."""
        padded = case["inputs"]["input_ids"] == case["left_out"] if "left_out" in case else None
        kept, projected = [], []
        for name, value in sites:
            value = value if padded is None else leave_out(name, value, padded)
            if is_large(value):
                projected.append(name)
                value = project(value)
            kept.append((name, value))
        return dict(case, projected=projected), kept

    def _keep(self, case: Case, sites: list[tuple[str, Any]]) -> Found:
        sites = [(site, value) for site, value in sites if self.pooler or site != "pooler_output"]
        arrays = {}
        for site, value in sites:
            check_finite(case, site, value)
            arrays[f"case/{case['name']}/site/{site}"] = as_stored(value)
        for key, value in case["inputs"].items():
            arrays[f"case/{case['name']}/input/{key}"] = as_stored(value)
        entry = {key: case[key] for key in case if key != "inputs"}
        entry.update(inputs=sorted(case["inputs"]), sites=[site for site, _ in sites])
        return Found(arrays, cases=[entry])

    def _gradients(self, case: Case) -> tuple[Found, dict[str, Any]]:
        """The case, and its gradients; also parameter -> part -> array."""
        sites, found = gradients_of(self.activations, case, self.pooler)
        kept = self._keep(*self._as_kept(case, sites))
        arrays = {}
        for name, parts in found.items():
            for part, value in parts.items():
                if not np.isfinite(value).all():
                    raise Refused(f"Paddle's gradients are not finite ({case['name']}, {name})")
                arrays[f"gradient/{case['name']}/{name}/{part}"] = as_stored(value)
        tensors = {name: sorted(parts) for name, parts in found.items()}
        of, count = case["gradient"], int(np.prod(case["inputs"]["input_ids"].shape))
        of = "loss" if of == "loss" else "outputs"
        kept.add(Found(arrays, gradients=[{"case": case["name"], "of": of, "tokens": count, "tensors": tensors}]))
        return kept, found

    def _growth(self, case: Case) -> Found:
        """The first case, its gradients, where it has any, and the amplification of errors in it."""
        found, before = (
            self._gradients(case)
            if case.get("gradient")
            else (self._keep(*self._as_kept(case, list(self.sites.items()))), {})
        )
        found.growth = measure_amplification(self.activations, case, self.pooler, self.sites, before)
        return found


def mark_left_out(activations: Activations, case: Case) -> Case:
    """The case; where texts have the token whose row Paddle gives as zeros, with its id as `left_out`. Its gradients
    then rest on numbers that are left out, and are not recorded."""
    family = activations.family
    words = next(table for name, table in activations.tables.items() if family.word_table.startswith(name))
    row, ids = zeroed_row(words), case["inputs"].get("input_ids")
    if row is None or ids is None or not np.any(ids == row):
        return case
    kept = dict((key, case[key]) for key in case if key != "gradient")
    return dict(kept, left_out=row)


def check_finite(case: Case, site: str, value: Any) -> None:
    """Raises Refused where a number is infinite or none."""
    if not np.isfinite(value).all():
        where = f"{case['name']}, {site}"
        raise Refused(f"Paddle's numbers are not finite ({where}): the weights, or this Paddle, are broken")


def check_repeats(activations: Activations, case: Case) -> dict[str, Any]:
    """Run an input twice: a broken Paddle gives other or empty numbers (PaddleNLP issues 6280, 6884, 7465). Returns
    site -> array. Raises Refused where these are not finite, or Broken."""
    first = dict(activations.run(case))
    for site, value in first.items():  # NaN equals nothing, not even itself.
        check_finite(case, site, value)
    for site, again in activations.run(case):
        if again.size == 0 or not np.array_equal(first[site], again):
            raise Broken(f"the same input gave other numbers at {site} the second time")
    return first


def as_stored(value: Any) -> Any:
    """A contiguous array. (numpy makes one element of a scalar.)"""
    return np.ascontiguousarray(value).reshape(value.shape)
