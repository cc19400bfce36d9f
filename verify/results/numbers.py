"""Results of the numeric comparison: activations, gradients, coverage, execution modes and the detection margin."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Optional, Union

from verify.results.as_json import OMIT_IF_EMPTY
from verify.results.checks import TokenResult

#: The case with fully masked rows: adding -1e4 to every score costs their last digits, so its limits are wider.
ZERO_ROW = "mask.zero_row"
NOT_FINITE = "are not all finite"
#: The execution mode that is no call but `from_pretrained` without a dtype. Reports show it in a row of its own.
DEFAULT_LOAD = "default load"
#: The execution mode in which the encoder is loaded from the file of a class that keeps tensors for it aside.
BASE_LOAD = "AutoModel"


@dataclass(frozen=True)
class SiteResult:
    """One activation (`site`) of one input case. `max_abs` and `max_rel` are None when the arrays cannot be compared;
    `problem` has the reason."""

    case: str
    site: str
    max_abs: Optional[float]
    max_rel: Optional[float]
    tolerance: float
    passed: bool
    problem: str = field(default="", metadata=OMIT_IF_EMPTY)
    #: Index of the largest difference, of a failed site.
    worst: tuple[int, ...] = field(default=(), metadata=OMIT_IF_EMPTY)


@dataclass(frozen=True)
class GradientResult:
    """One gradient of one case. `max_abs` and `max_rel` are None when it cannot be compared; `problem`: why."""

    tensor: str
    case: str
    max_abs: Optional[float]
    max_rel: Optional[float]
    tolerance: float
    passed: bool
    problem: str = field(default="", metadata=OMIT_IF_EMPTY)


def share_of_limit(result: Union[SiteResult, GradientResult]) -> float:
    """The measured difference divided by its limit: above 1 the result has failed. Infinite for what cannot be compared
    and for a difference where none is allowed."""
    if result.max_rel is None or (result.tolerance <= 0 and result.max_rel > 0):
        return math.inf
    return result.max_rel / result.tolerance if result.tolerance > 0 else 0.0


@dataclass(frozen=True)
class TensorCoverage:
    """How many elements of a tensor the numeric checks can see, and which check covers the rest."""

    tensor: str
    elements: int
    seen: int
    #: Of these, those that the whole network shows.
    network: int = 0
    share: float = 1.0
    rest: str = ""


@dataclass(frozen=True)
class SmallestFault:
    """One unit in the last place of one element: `ratio` is the largest difference that it makes at any site of
    `case`, as a multiple of that site's limit. It is None where nothing could be measured, and `why` has the reason."""

    ratio: Optional[float]
    tensor: str = ""
    element: tuple[int, ...] = ()
    site: str = ""
    case: str = ""
    #: How many faults were tried, of which this one shows least.
    tried: int = 0
    why: str = ""


@dataclass
class ModeResult:
    """One execution mode: how many sites were compared, how many differ and what the first of them is, or why the mode
    was skipped."""

    compared: int = 0
    differ: int = 0
    first: str = ""
    skipped: str = ""

    def fail(self, text: str) -> None:
        self.differ += 1
        self.first = self.first or text

    def add(self, other: ModeResult) -> None:
        """Add what was compared elsewhere, after this."""
        self.compared += other.compared
        self.differ += other.differ
        self.first = self.first or other.first
        self.skipped = self.skipped or other.skipped


@dataclass(frozen=True)
class FirstDifference:
    """The failed site (or gradient) that comes first in the network, and where to look for the cause."""

    case: str
    site: str
    max_rel: Optional[float] = None
    tolerance: float = 0.0
    problem: str = ""
    #: The site before it in the same case, and whether all sites up to there agree.
    before: Optional[str] = None
    inputs_agree: bool = True
    failed_cases: list[str] = field(default_factory=list)
    #: Only where gradients differ and no output does.
    failed_tensors: list[str] = field(default_factory=list, metadata=OMIT_IF_EMPTY)
    look_at: str = ""


@dataclass
class PytorchResult:
    """What the process that runs OUTPUT's model hands back."""

    sites: list[SiteResult] = field(default_factory=list)
    gradients: list[GradientResult] = field(default_factory=list)
    coverage: list[TensorCoverage] = field(default_factory=list)
    #: None unless all numbers agree.
    smallest_fault: Optional[SmallestFault] = None
    tokens: Optional[TokenResult] = None
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    #: Name of an execution mode -> its result.
    uses: dict[str, ModeResult] = field(default_factory=dict)
