"""Two arrays, one site: how far they are apart, and whether that is noise.

Differences are relative to the site's largest value in the whole trace: the noise of the arithmetic grows with that,
not with the value of one element, which may be small because larger ones cancelled.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

#: The case whose rows hide every key: there -1e4 is added to every score and eats its last digits (MODEL.md, quirk 5).
ZERO_ROW = "mask.zero_row"

NOT_FINITE = "are not all finite"


@dataclass(frozen=True)
class SiteResult:
    """One site of one case. `max_abs` and `max_rel` are None when the arrays cannot be compared; `problem` says why."""

    case: str
    site: str
    max_abs: float | None
    max_rel: float | None
    tolerance: float
    passed: bool
    problem: str = ""
    #: Index of the largest difference, of a failed site.
    worst: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        data = asdict(self)
        for name in ("problem", "worst"):
            if not data[name]:
                del data[name]
        return data


@dataclass(frozen=True)
class GradientResult:
    """One gradient of one case. `max_abs` and `max_rel` are None when it cannot be compared; `problem` says why."""

    tensor: str
    case: str
    max_abs: float | None
    max_rel: float | None
    tolerance: float
    passed: bool
    problem: str = ""

    def as_json(self) -> dict[str, Any]:
        data = asdict(self)
        if not self.problem:
            del data["problem"]
        return data


def share_of_limit(result: SiteResult | GradientResult) -> float:
    """How much of its limit a result uses up: above 1 it has failed, and so has what cannot be compared, or differs
    where nothing may."""
    if result.max_rel is None or (result.tolerance <= 0 and result.max_rel > 0):
        return math.inf
    return result.max_rel / result.tolerance if result.tolerance > 0 else 0.0


def compare_site(
    case: str, site: str, reference: np.ndarray, found: np.ndarray, scale: float, tolerance: float
) -> SiteResult:
    """Judge one site. Other shapes fail; so does a number that is not finite, on either side."""
    import numpy as np

    if reference.shape != found.shape:
        problem = f"shape {list(found.shape)}, Paddle's is {list(reference.shape)}"
        return SiteResult(case, site, None, None, tolerance, False, problem)
    for array, whose in ((reference, "Paddle's"), (found, "OUTPUT's")):
        finite = np.isfinite(array)
        if not finite.all():
            place = tuple(int(n) for n in np.unravel_index(int(finite.argmin()), finite.shape))
            return SiteResult(case, site, None, None, tolerance, False, f"{whose} numbers {NOT_FINITE}", place)
    if reference.size == 0:
        return SiteResult(case, site, None, None, tolerance, False, "empty")
    difference = np.abs(found.astype(np.float64) - reference.astype(np.float64))
    largest = float(difference.max())
    relative = largest / scale if scale > 0 else (0.0 if largest == 0 else float("1e308"))
    passed = relative <= tolerance
    worst = () if passed else tuple(int(n) for n in np.unravel_index(int(difference.argmax()), difference.shape))
    return SiteResult(case, site, largest, relative, tolerance, passed, worst=worst)
