"""The report of one verification: its parts, its form in report.json, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Optional, Union

from converter.common.errors import Problem, VerificationError
from verify.results.as_json import from_json, read_value, to_json
from verify.results.checks import StaticResult, TokenResult
from verify.results.numbers import (
    FirstDifference,
    GradientResult,
    ModeResult,
    SiteResult,
    SmallestFault,
    TensorCoverage,
    share_of_limit,
)
from verify.results.self_test import SelfTest
from verify.results.subject import Subject

#: The parts of a verification. A full report has checked all of them.
WEIGHTS, NUMBERS, TOKENS = "weights", "numbers", "tokens"
#: The code of an injected fault that the verifier missed: nothing is known to be wrong with OUTPUT.
MISSED = "E409"
#: Keys of report.json that a report may lack, as those of earlier versions do.
_OPTIONAL = (
    "family",
    "source_behavior",
    "foreign_code",
    "self_test",
    "left_inside",
    "left_out",
    "warnings",
    "environment",
    "subject",
    "title",
)
#: Computed from the rest, so not read back.
_DERIVED = ("passed", "noise", "margin")


@dataclass
class Margin:
    """How near sound results come to their limits (`noise`, a share of the limit), and how far beyond its limit the
    smallest fault of a weight is (`fault.ratio`)."""

    noise: float
    fault: SmallestFault

    def as_json(self) -> dict[str, Any]:
        found = to_json(self.fault)
        return {"noise": self.noise, "smallest_fault": found.pop("ratio"), **found}


@dataclass(repr=False)
class Report:
    """The verdict on one OUTPUT, and everything that it rests on. `bool(report)` is the verdict.

    - precision: what both sides computed in, "float64" or "float32".
    - family: the family of the model (a folder of mappings); empty in a report of before there were several.
    - subject: which model it is, what it was made from, and the version of this tool.
    - title: a heading that the caller gave the report; it decides nothing.
    - checked: which parts were checked, of "weights", "numbers" and "tokens".
    - static: the weights, bit for bit.
    - sites: the numbers at every place of the network in every input, each with its limit.
    - gradients: the same for the gradient of every tensor.
    - coverage: of every tensor the share of elements whose fault would move what is compared.
    - smallest_fault: where the numbers agree, what the smallest fault of a weight would have done to them.
    - tokenizer: the tokens, by text.
    - uses: other uses of the model (plain calls, training, float32, ...) by name.
    - self_test: the faults that the verifier injected, where it was asked to.
    - left_inside: name -> kind of the tensors inside modules that OUTPUT leaves out on request: a pass does not cover
      them.
    - problems: what is wrong; empty after a pass.
    - warnings: what is odd, and decides nothing.
    - left_out: what was left out of the comparison, and why.
    - first_difference: the first place of the network that differs, and where to look.
    - files: SHA-256 of every file of OUTPUT that decides numbers or tokens.
    - reference: who computed Paddle's side (`kind`: "live", "trace" or "none"), how the weights reached it, versions.
    - behavior: the rules that OUTPUT follows where Paddle's releases differ: one of the family's presets.
    - source_behavior: those of the release that wrote SOURCE; None where they are not known.
    - foreign_code: name and SHA-256 of each code file in OUTPUT that is not this tool's own.
    - environment: versions on both sides.
    - others: fields of a report.json that this version does not know.
    - seconds: seconds by stage. Not in report.json, so that two runs give the same report.
    - folder: where the report was written, if it was.
    """

    precision: str
    family: str = ""
    subject: Optional[Subject] = None
    title: str = ""
    checked: list[str] = field(default_factory=list)
    static: Optional[StaticResult] = None
    sites: list[SiteResult] = field(default_factory=list)
    gradients: list[GradientResult] = field(default_factory=list)
    coverage: list[TensorCoverage] = field(default_factory=list)
    smallest_fault: Optional[SmallestFault] = None
    tokenizer: Optional[TokenResult] = None
    uses: dict[str, ModeResult] = field(default_factory=dict)
    self_test: Optional[SelfTest] = None
    left_inside: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    first_difference: Optional[FirstDifference] = None
    files: dict[str, str] = field(default_factory=dict)
    reference: dict[str, Any] = field(default_factory=dict)
    behavior: str = "paddlenlp"
    source_behavior: Optional[str] = None
    foreign_code: dict[str, str] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    others: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    folder: Optional[Path] = None

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong in what was checked; `checked` names it."""
        return not self.problems

    def __bool__(self) -> bool:
        return self.passed

    def check(self) -> Report:
        """This report if it passed; else raises VerificationError with every problem."""
        if not self.passed:
            raise VerificationError(*self.problems)
        return self

    def __repr__(self) -> str:
        return f"<Report: {_rendering('terminal').render_line(self)}>"

    def _repr_html_(self) -> str:
        """The top of report.html, for notebooks."""
        return str(_rendering("html.page").render_top(self))

    @property
    def unjudged(self) -> bool:
        """Whether nothing is wrong with OUTPUT, but the verifier missed a fault that it injected itself."""
        return bool(self.problems) and all(problem.code == MISSED for problem in self.problems)

    @property
    def margin(self) -> Optional[Margin]:
        """None unless everything passed and the smallest fault was looked for."""
        if self.smallest_fault is None or not self.sites or not self.passed:
            return None
        results: list[Union[SiteResult, GradientResult]] = [*self.sites, *self.gradients]
        return Margin(max(map(share_of_limit, results)), self.smallest_fault)

    def to_json(self) -> dict[str, Any]:
        """The report as report.json holds it."""
        return {
            "passed": self.passed,
            "precision": self.precision,
            "family": self.family,
            "subject": to_json(self.subject),
            "title": self.title,
            "behavior": self.behavior,
            "source_behavior": self.source_behavior,
            "foreign_code": self.foreign_code,
            "checked": self.checked,
            "problems": [{"code": problem.code, "text": problem.text} for problem in self.problems],
            "first_difference": to_json(self.first_difference),
            "static": to_json(self.static),
            "sites": to_json(self.sites),
            "gradients": to_json(self.gradients),
            "coverage": to_json(self.coverage),
            "uses": to_json(self.uses),
            "noise": _noise_as_json(self),
            "margin": self.margin.as_json() if self.margin is not None else None,
            "tokenizer": to_json(self.tokenizer),
            "self_test": to_json(self.self_test),
            "left_inside": [{"source": name, "kind": kind} for name, kind in self.left_inside.items()],
            "warnings": self.warnings,
            "left_out": self.left_out,
            "files": self.files,
            "reference": self.reference,
            "environment": self.environment,
            **self.others,
        }


def read_report(data: Mapping[str, Any]) -> Report:
    """The report that report.json holds. Raises KeyError, TypeError or ValueError for a damaged one."""
    known = Report("").to_json().keys()
    lacking = [name for name in known if name not in (*data, *_OPTIONAL, "noise", "margin")]
    if lacking:
        raise KeyError(lacking[0])
    parts = {name: data[name] for name in known if name in data and name not in _DERIVED}
    left = read_value(list[dict[str, str]], parts.pop("left_inside", []), "left_inside")
    report = from_json(Report, parts)
    margin = data.get("margin")
    if margin is not None:
        fault = {name: value for name, value in margin.items() if name not in ("noise", "smallest_fault")}
        report.smallest_fault = from_json(SmallestFault, {"ratio": margin["smallest_fault"], **fault})
    others = {name: value for name, value in data.items() if name not in known}
    return replace(report, left_inside={row["source"]: row["kind"] for row in left}, others=others)


def _rendering(name: str) -> Any:
    """A module of verify.report, by its name: it stands above the results that it shows."""
    return import_module(f"verify.report.{name}")


def _noise_as_json(report: Report) -> Optional[dict[str, Any]]:
    """The activation and the gradient that came nearest to their limits, after a pass."""
    if not report.sites or not report.passed:
        return None
    site = max(report.sites, key=share_of_limit)
    noise: dict[str, Any] = {"share_of_limit": share_of_limit(site), "case": site.case, "site": site.site}
    if report.gradients:
        gradient = max(report.gradients, key=share_of_limit)
        noise["gradients"] = {
            "share_of_limit": share_of_limit(gradient),
            "case": gradient.case,
            "tensor": gradient.tensor,
        }
    return noise
