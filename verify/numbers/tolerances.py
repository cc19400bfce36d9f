"""How far two correct programs may be apart at an activation: from the rounding unit, the sizes and the amplification
of errors.

The derivation is in docs/verify.md. In short: a rounding is an error of at most u of what is being summed, and of no
preferred sign, so n of them in a row make sqrt(n) u, not n u. What layers make of an error that comes into them is the
amplification that the recorder measured with Paddle alone. Nothing here is fitted to the differences that are compared.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mappings.network import LINEAR, NORM, Network
from mappings.registry import find_class
from verify.results.precision import UNITS

#: How many standard deviations: a single rounding has u / sqrt(3), two programs round (sqrt(2)), of ten million
#: elements the worst lies 5.3 deviations away. That is 4.3; the amplification is measured in one direction: twice that.
DEVIATIONS = 8.0
#: exp, erf, tanh, division, square root: each is right to a few units.
ELEMENTARY = 16
#: The magnitude that a mask adds to each score of a fully masked row, which costs the last digits of the scores.
MASKED = 1e4


@dataclass(frozen=True)
class Limits:
    """The limits of one trace, each relative to the activation's largest value.

    `sizes`: fields of the config that hold a size, and under "positions" the longest text in tokens. `amplification`
    and `gradient_amplification`: activation and parameter (by Paddle's names) -> the factor that was measured.
    """

    precision: str
    network: Network
    sizes: Mapping[str, int]
    amplification: Mapping[str, float]
    gradient_amplification: Mapping[str, float]

    @classmethod
    def of(cls, head: Mapping[str, Any]) -> Limits:
        """From the head of a trace. Raises KeyError for an architecture of no family."""
        found = find_class(head["architecture"])
        if found is None:
            raise KeyError(head["architecture"])
        family, amplification = found[0], head["growth"]
        # "port": sizes that only transformers' config has a field for.
        given = {name: value for name, value in (head.get("port") or {}).items() if name in _names(family.sizes)}
        sizes = {**family.sizes_of(head["config"]), **given}
        sizes["positions"] = family.longest_text(sizes["max_position_embeddings"])
        return cls(str(head["precision"]), family.network, sizes, amplification["sites"], amplification["gradients"])

    @property
    def unit(self) -> float:
        return UNITS[self.precision]

    @property
    def layers(self) -> int:
        return self.sizes["num_hidden_layers"]

    def site(self, site: str, projected: bool = False, zero_row: bool = False) -> float:
        """The limit of an activation. `projected`: it is kept as products with columns, whose roundings count too.
        `zero_row`: the case has fully masked rows."""
        count = self.operations(site) + (4 * self.sizes["hidden_size"] if projected else 0)
        limit = DEVIATIONS * self.unit * math.sqrt(count) * self.amplified(site)
        # Two programs, each half a unit of 10000, in the first layer and in every later one.
        return limit + (2 * MASKED * self.unit * self.amplified(site) if zero_row else 0.0)

    def gradient(self, tensor: str, scale: float, tokens: int, zero_row: bool = False) -> float:
        """The limit of a gradient, relative to `scale`: forward, back, and the sum over the case's tokens. `tensor` is
        Paddle's name, `zero_row` as for an activation."""
        count = 2 * self._to_the_end() + tokens + 4 * self.sizes["hidden_size"]
        names = (tensor, self.network.queries_of(tensor))
        known = max(self.gradient_amplification.get(name, 0.0) for name in names)
        factor = max(1.0, known / scale if scale > 0 else 0.0)
        limit = DEVIATIONS * self.unit * math.sqrt(count) * factor
        return limit + (2 * MASKED * self.unit * factor if zero_row else 0.0)

    def amplified(self, site: str) -> float:
        """The factor that an error has grown by on its way to an activation: never less than 1, and no less than in a
        layer before."""
        number = self._layer_of(site)
        if number < 0 and site != self.network.state_after(0):
            return 1.0
        return max(self._amplified_before[min(number + 1, self.layers)], self.amplification.get(site, 0.0))

    @cached_property
    def _amplified_before(self) -> list[float]:
        """The largest factor of the activations in front of each layer, and of those in front of the outputs."""
        factors = [(self._layer_of(name), factor) for name, factor in self.amplification.items()]
        return [max([1.0, *(factor for layer, factor in factors if layer < end)]) for end in range(self.layers + 1)]

    def operations(self, site: str) -> int:
        """How many roundings follow one another on the way to an activation."""
        network = self.network
        if site in network.table_names:
            return 1
        if site.startswith(NORM):
            return self._count(["norm"])
        if site.startswith(LINEAR):
            return self.sizes[network.input_size_of(site[len(LINEAR) :])]
        begin = [entry.name for entry in network.begin]
        if site in begin:
            entries = network.begin[: begin.index(site) + 1]
            return max(1, self._count(step for entry in entries for step in entry.roundings))
        place = network.place_in_layer(site)
        if place is None:
            return self._to_the_end()
        number, part = place
        parts = network.layer if part is None else network.layer[: network.layer.index(part) + 1]
        return self._to_layer(number) + self._count(step for each in parts for step in each.roundings)

    def _to_layer(self, number: int) -> int:
        begin = self._count(step for entry in self.network.begin for step in entry.roundings)
        return begin + number * self._count(step for part in self.network.layer for step in part.roundings)

    def _to_the_end(self) -> int:
        return self._to_layer(self.layers) + self._count(self.network.end_roundings)

    def _count(self, steps: Iterable[str]) -> int:
        """The roundings of these steps: a sum over a size, a LayerNorm (two sums), one elementary function."""
        own = {"norm": 2 * self.sizes["hidden_size"] + ELEMENTARY, "elementary": ELEMENTARY}
        return sum(own[step] if step in own else self.sizes[step] for step in steps)

    def _layer_of(self, site: str) -> int:
        """The layer of an activation: -1 in front of the layers, and a large number behind them."""
        if site in self.network.end_names:
            return 1 << 30
        place = self.network.place_in_layer(site)
        return -1 if place is None else place[0]


def _names(sizes: Iterable[Any]) -> set[str]:
    return {size.field for size in sizes}
