"""The result of an evaluation, and its JSON form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from converter.common.errors import Problem

Metrics = Mapping[str, float]
#: Examples that differ, of each language, that a report lists.
MOST_LISTED = 100


@dataclass(frozen=True)
class Differing:
    """An example with another answer. A tie is one whose margin is below the noise on both sides."""

    place: str
    view: str
    paddle: str
    torch: str
    paddle_margin: float
    torch_margin: float
    tie: bool


@dataclass(frozen=True)
class LanguageResult:
    """One language in one view (the only one, or a layer and a direction)."""

    language: str
    view: str
    examples: int
    torch: Metrics
    paddle: Metrics | None = None
    agree: int = 0
    ties: int = 0
    max_abs: float = 0.0
    #: The smallest margin of any example, on either side.
    smallest_margin: float = 0.0
    #: The largest margin that is a tie.
    tie_below: float = 0.0
    differ: tuple[Differing, ...] = ()

    @property
    def passed(self) -> bool:
        return self.paddle is None or self.agree + self.ties == self.examples


@dataclass(repr=False)
class Evaluation:
    """An evaluation of one OUTPUT. `bool(evaluation)` is the verdict.

    - task: what the examples are about.
    - precision: what both sides computed in.
    - form: the form of the data.
    - protocol: the choices that decide the figures, by name.
    - results: one for each language and view (a layer and a direction); the first view is the one that the metrics are
      told by.
    - torch_only: whether Paddle was not asked.
    - warnings: what is odd, and decides nothing.
    - problems: what is wrong beside answers that differ.
    - published: published results of other models on the same test set, a line each.
    - files: SHA-256 of the files of OUTPUT that decide the answers.
    - environment: versions on PyTorch's side.
    - reference: versions on Paddle's side.
    """

    task: str
    precision: str
    form: str = ""
    protocol: dict[str, str] = field(default_factory=dict)
    results: list[LanguageResult] = field(default_factory=list)
    torch_only: bool = False
    warnings: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    environment: dict[str, Any] = field(default_factory=dict)
    reference: dict[str, Any] = field(default_factory=dict)
    published: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)

    @property
    def views(self) -> list[str]:
        return list(dict.fromkeys(result.view for result in self.results))

    @property
    def passed(self) -> bool:
        """Whether every prediction in every view agrees or is a tie."""
        return bool(self.results) and not self.problems and all(result.passed for result in self.results)

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        examples = sum(result.examples for result in self.of_view((self.views or [""])[0]))
        return f"<Evaluation: {'passed' if self else 'FAILED'}: {self.task}, {examples:,} examples, {self.precision}>"

    def of_view(self, view: str) -> list[LanguageResult]:
        return [result for result in self.results if result.view == view]

    def to_json(self) -> dict[str, Any]:
        """The object of `--json` and of the report: the first view's results under "languages", all under "views"
        where there are several."""
        first, *others = self.views or [""]
        found: dict[str, Any] = {
            "task": self.task,
            "precision": self.precision,
            "languages": {result.language: _as_json(result) for result in self.of_view(first)},
            "mean": mean_of(self.of_view(first)),
            "passed": self.passed,
            "form": self.form,
            "protocol": {**self.protocol, **({"view": first} if first else {})},
            "torch_only": self.torch_only,
            "published": list(self.published),
            "warnings": list(self.warnings),
            "problems": [{"code": problem.code, "message": problem.text} for problem in self.problems],
            "reference": self.reference,
            "environment": self.environment,
            "files": self.files,
        }
        if others:
            found["views"] = {
                view: {
                    "languages": {result.language: _as_json(result) for result in self.of_view(view)},
                    "mean": mean_of(self.of_view(view)),
                }
                for view in self.views
            }
        return found


def mean_of(results: Sequence[LanguageResult]) -> dict[str, dict[str, float]]:
    """The plain mean over the languages of each metric, on each side."""
    sides = {
        "paddle": [result.paddle for result in results if result.paddle is not None],
        "torch": [result.torch for result in results],
    }
    return {
        side: {name: sum(metrics[name] for metrics in all_) / len(all_) for name in all_[0]}
        for side, all_ in sides.items()
        if all_
    }


def _as_json(result: LanguageResult) -> dict[str, Any]:
    found: dict[str, Any] = {"examples": result.examples}
    if result.paddle is not None:
        found["paddle"] = dict(result.paddle)
    found["torch"] = dict(result.torch)
    if result.paddle is not None:
        found.update(
            agree=result.agree,
            ties=result.ties,
            max_abs=result.max_abs,
            smallest_margin=_finite(result.smallest_margin),
            tie_below=result.tie_below,
            differ=[
                {**vars(one), "paddle_margin": _finite(one.paddle_margin), "torch_margin": _finite(one.torch_margin)}
                for one in result.differ[:MOST_LISTED]
            ],
        )
    return found


def _finite(value: float) -> float | None:
    """JSON has no infinity: the margin of a choice that has no second."""
    return value if value != float("inf") else None
