"""How far two correct programs may be apart at a site: from the rounding unit, the sizes and the condition.

The derivation is in docs/verify.md. In short: a rounding is an error of at most u of what is being summed, and of no
preferred sign, so n of them in a row make sqrt(n) u, not n u. What layers make of an error that comes into them is the
growth that the recorder measured with Paddle alone. Nothing here is fitted to the differences that are judged.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Half the distance from 1 to the next number.
ROUNDING = {"float64": 2.0**-53, "float32": 2.0**-24}
#: How many standard deviations: a single rounding has u / sqrt(3), two programs round (sqrt(2)), of ten million
#: elements the worst lies 5.3 deviations away. That is 4.3; the growth is measured in one direction: twice that.
DEVIATIONS = 8.0
#: exp, erf, tanh, division, square root: each is right to a few units.
ELEMENTARY = 16
#: What a mask that hides every key adds to each score (MODEL.md, quirk 5), whose last digits it eats.
HIDDEN = 1e4

_LAYER = re.compile(r"(?:layers|hidden_states|attentions)\.(\d+)(?:\.(.+))?")
_ENDS = ("pooler_output", "logits", "start_logits", "end_logits", "start_prob", "end_prob", "loss")


@dataclass(frozen=True)
class Limits:
    """The limits of one trace, each relative to the site's largest value."""

    precision: str
    hidden: int
    layers: int
    longest: int
    growth: Mapping[str, float]
    gradient_growth: Mapping[str, float]
    #: The width of the feed-forward layers; 0 is four times `hidden`, as in every model of PaddleNLP's.
    inner: int = 0

    @classmethod
    def of(cls, head: Mapping[str, Any]) -> Limits:
        """From the head of a trace."""
        config, growth = head["config"], head["growth"]
        return cls(
            str(head["precision"]),
            int(config["hidden_size"]),
            int(config["num_hidden_layers"]),
            int(config["max_position_embeddings"]) - 2,
            growth["sites"],
            growth["gradients"],
            int((head.get("port") or {}).get("intermediate_size", 0)),
        )

    @property
    def unit(self) -> float:
        return ROUNDING[self.precision]

    def site(self, site: str, projected: bool = False, zero_row: bool = False) -> float:
        """The limit of a site; one that is kept as products with columns has the roundings of those, too."""
        count = self.operations(site) + (4 * self.hidden if projected else 0)
        limit = DEVIATIONS * self.unit * math.sqrt(count) * self.grown(site)
        # Two programs, each half a unit of 10000, in the first layer and in every later one.
        return limit + (2 * HIDDEN * self.unit * self.grown(site) if zero_row else 0.0)

    def grown(self, site: str) -> float:
        """What becomes of an error on its way to a site: never less than 1, and no less than in a layer before."""
        known = [self.growth.get(name, 0.0) for name in self._on_the_way(site)]
        return max([1.0, *known])

    def _on_the_way(self, site: str) -> list[str]:
        ends = site in _ENDS
        match = _LAYER.match(site)
        if not ends and not match:
            return []
        depth = self.layers if ends else int(match[1]) if match else 0
        last = depth if ends or site.startswith("hidden_states.") else depth + 1
        return [site] + [name for name in self.growth if _layer_of(name) < last]

    def operations(self, site: str) -> int:
        """How many roundings lie one behind the other on the way to a site."""
        width, norm = self.hidden, 2 * self.hidden + ELEMENTARY
        if site in ("word_embeddings", "position_embeddings", "embeddings.sum"):
            return 1
        if site.startswith("norm:"):
            return norm
        if site.startswith("linear:"):
            return (self.inner or 4 * width) if site.endswith(".linear2") else width
        # q or k, the score; softmax; times v; out_proj; norm1; linear1, activation; linear2; norm2
        steps = {
            "q_proj": width,
            "k_proj": 0,
            "v_proj": 0,
            "attentions": width + self.longest + ELEMENTARY,
            "context": self.longest,
            "out_proj": width,
            "norm1": norm,
            "linear1": width,
            "linear2": (self.inner or 4 * width) + ELEMENTARY,
            "hidden_states": norm,
        }
        whole = sum(steps.values())
        match = _LAYER.match(site)
        if match and not site.startswith("hidden_states."):
            part = (match[2] or "attentions").split(".")[-1]
            names = list(steps)
            place = names.index(part) + 1 if part in steps else len(names)
            return norm + int(match[1]) * whole + sum(steps[name] for name in names[:place])
        if match:
            return norm + int(match[1]) * whole
        return norm + self.layers * whole + 2 * (width + ELEMENTARY)

    def gradient(self, tensor: str, scale: float, tokens: int, zero_row: bool = False) -> float:
        """The limit of a gradient, relative to `scale`: forth, back, and the sum over the case's tokens. `zero_row` is
        as for a site."""
        count = 2 * self.operations("logits") + tokens + 4 * self.hidden
        known = max(self.gradient_growth.get(name, 0.0) for name in (tensor, queries_of(tensor)))
        grown = known / scale if scale > 0 else 0.0
        limit = DEVIATIONS * self.unit * math.sqrt(count) * max(1.0, grown)
        return limit + (2 * HIDDEN * self.unit * max(1.0, grown) if zero_row else 0.0)


def values_of(tensor: str) -> str:
    """The values' tensor that stands beside this one of the queries or keys; any other is its own."""
    return re.sub(r"self_attn\.[qk]_proj", "self_attn.v_proj", tensor)


def queries_of(tensor: str) -> str:
    """The queries' bias that stands beside this bias of the keys; any other tensor is its own."""
    return re.sub(r"self_attn\.k_proj\.bias", "self_attn.q_proj.bias", tensor)


def _layer_of(site: str) -> int:
    """The number of the layer that a site belongs to; the state behind a layer counts as that layer's."""
    match = _LAYER.match(site)
    if not match:
        return 1 << 30 if site in _ENDS else -1
    return int(match[1]) - (1 if site.startswith("hidden_states.") else 0)
