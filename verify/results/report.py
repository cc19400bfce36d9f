"""The report of one verification: its parts, its form in report.json, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Optional, Union

from converter.common.errors import Problem
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


@dataclass
class Report:
    """The verdict on one OUTPUT, and everything that it rests on."""

    precision: str
    #: The family of the model (mappings.registry); empty in a report of before there were several.
    family: str = ""
    #: Which parts were checked, of WEIGHTS, NUMBERS and TOKENS.
    checked: list[str] = field(default_factory=list)
    static: Optional[StaticResult] = None
    sites: list[SiteResult] = field(default_factory=list)
    gradients: list[GradientResult] = field(default_factory=list)
    coverage: list[TensorCoverage] = field(default_factory=list)
    #: Where the numbers agree, what the smallest fault of a weight would have done to them.
    smallest_fault: Optional[SmallestFault] = None
    tokenizer: Optional[TokenResult] = None
    #: Execution modes (plain calls, training, float32, ...) by name.
    uses: dict[str, ModeResult] = field(default_factory=dict)
    #: The negative control, where it was asked for.
    self_test: Optional[SelfTest] = None
    #: Name -> kind of the tensors inside modules that OUTPUT leaves out on request: a pass does not cover them.
    left_inside: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    #: What was left out of the comparison, and why.
    left_out: list[str] = field(default_factory=list)
    first_difference: Optional[FirstDifference] = None
    #: SHA-256 of every file of OUTPUT that decides numbers or tokens.
    files: dict[str, str] = field(default_factory=dict)
    #: Who computed the reference (`kind`: "live", "trace" or "none"), how the weights reached it, its versions.
    reference: dict[str, Any] = field(default_factory=dict)
    #: The rules that OUTPUT follows where Paddle's releases differ: the name of one of the family's presets.
    behavior: str = "paddlenlp"
    #: The behavior of the release that wrote SOURCE; None where it is not known.
    source_behavior: Optional[str] = None
    #: Name and SHA-256 of each code file in OUTPUT that is not this tool's own.
    foreign_code: dict[str, str] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    #: Fields of a report.json that this version does not know.
    others: dict[str, Any] = field(default_factory=dict)
    #: Seconds by stage. Not in report.json, so that two runs give the same report.
    seconds: dict[str, float] = field(default_factory=dict)
    #: Where the report was written, if it was.
    folder: Optional[Path] = None

    @property
    def passed(self) -> bool:
        return not self.problems

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
