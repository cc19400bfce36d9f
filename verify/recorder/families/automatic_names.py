"""Automatic parameter names (linear_7.w_0): they count the layers in the order in which PaddleNLP makes them.

The model that PaddleNLP has just made here counts in the same order, whatever number it began with.
"""

from __future__ import annotations

import re
from typing import Any

from verify.recorder.errors import Refused

AUTOMATIC = re.compile(r"(embedding|layer_norm|linear)_(\d+)\.([wb])_0(?:_deepcopy_\d+)?")


def has_automatic_names(weights: Any) -> bool:
    """Whether any of these names is automatic."""
    return any(AUTOMATIC.fullmatch(name) for name in weights)


def name_automatic(weights: Any, parameters: Any) -> dict[str, Any]:
    """The weights under the names of `parameters`, by the distance from the first number of each kind of layer.

    A layer that an export left out leaves its number out. Empties `weights`. Raises Refused.
    """
    places = {}
    for name, parameter in parameters.items():
        match = AUTOMATIC.fullmatch(parameter.name)
        if not match:
            raise Refused(f"this PaddleNLP calls {name} {parameter.name}, which has no number to go by")
        places[match.group(1), int(match.group(2)), match.group(3)] = name
    named = {}
    starts = {kind: min(number for other, number, _ in places if other == kind) for kind, _, _ in places}
    found = {name: AUTOMATIC.fullmatch(name) for name in weights}
    for kind, start in starts.items():
        numbers = [int(match.group(2)) for match in found.values() if match and match.group(1) == kind]
        for name, match in found.items():
            if match and match.group(1) == kind:
                place = (kind, int(match.group(2)) - min(numbers) + start, match.group(3))
                if place not in places:
                    raise Refused(f"{name} has no counterpart among the layers that PaddleNLP makes")
                named[places[place]] = weights.pop(name)
    named.update(weights)
    weights.clear()
    return named
