"""How near two choices must be for the roundings of a precision to decide between them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from evaluation.options import Options
from verify.numbers.tolerances import DEVIATIONS, Limits
from verify.protocol.evaluation_job import LAYERS, Job

#: A GPU multiplies in another order, with longer chains of roundings that are not in the count.
_GPU = 8.0


def largest_tie(head: Mapping[str, Any], job: Job, options: Options) -> float:
    """The largest margin, relative to the largest value, that is a tie. `head` is that of Paddle's answers.

    Two correct programs differ at an output by at most a bound that is derived from the number of roundings on the way
    (verify's limits, without the amplification that is measured for a trace). Either of the two choices may be off by
    it on either side; a cosine of two vectors is off by up to twice as much as each.
    """
    limits = Limits.of({**head, "precision": options.precision, "growth": {"sites": {}, "gradients": {}}})
    # What is no activation of a layer is at the end of the network.
    site = limits.network.state_after(max(job.layers)) if job.kind == LAYERS else "logits"
    bound = DEVIATIONS * limits.unit * math.sqrt(limits.operations(site))
    terms = 4 if job.kind == LAYERS else 2
    return terms * bound * (_GPU if options.device == "cuda" else 1.0)
