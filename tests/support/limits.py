"""Limits of a model of a given size, as a trace would give them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mappings.registry import load_family
from verify.numbers.tolerances import Limits

_NONE: Mapping[str, float] = MappingProxyType({})


def make_limits(
    precision: str,
    hidden: int,
    layers: int,
    longest: int,
    amplification: Mapping[str, float] = _NONE,
    gradients: Mapping[str, float] = _NONE,
) -> Limits:
    """The limits of a model of this size; the feed-forward layers are four times as wide."""
    sizes = {"hidden_size": hidden, "num_hidden_layers": layers, "intermediate_size": 4 * hidden, "positions": longest}
    return Limits(precision, load_family("ernie_m").network, sizes, amplification, gradients)
