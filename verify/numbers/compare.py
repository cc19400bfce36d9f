"""Two arrays, one site: how far they are apart, and whether that is noise.

Differences are relative to the site's largest value in the whole trace: the noise of the arithmetic grows with that,
not with the value of one element, which may be small because larger ones cancelled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verify.results.numbers import NOT_FINITE, SiteResult

if TYPE_CHECKING:
    import numpy as np


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
