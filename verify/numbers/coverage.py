"""Which elements of each tensor the inputs can see at all: those whose gradient in some case is more than noise."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from verify.numbers.hooks import paddle_name
from verify.results.numbers import TensorCoverage

if TYPE_CHECKING:
    import numpy as np
    import torch

_ALONE = {
    "word_embeddings.weight": "every row through the table alone",
    "position_embeddings.weight": "every row through the table alone",
    "norm": "every LayerNorm alone, with a small input",
    "linear": "every linear layer alone",
}


@dataclass
class Seen:
    """target tensor -> which elements some gradient has shown."""

    masks: dict[str, torch.Tensor] = field(default_factory=dict)

    def add(self, name: str, gradient: torch.Tensor, noise: float, rows: np.ndarray | None = None) -> None:
        """Count the elements that are above `noise`; of a table only in the `rows` that are not 0."""
        import torch

        if name not in self.masks:
            self.masks[name] = torch.zeros(gradient.shape, dtype=torch.bool)
        mask = self.masks[name]
        if rows is None:
            mask |= gradient.abs() > noise
        else:
            chosen = torch.from_numpy(rows)
            mask[chosen] |= gradient[chosen].abs() > noise


def coverage(seen: Seen, model: Any, alone: set[str], inside: set[str]) -> list[TensorCoverage]:
    """Per tensor: elements, how many of them a check of the numbers sees, and what covers the rest.

    `alone` are the sites of what was looked at alone (tables, norms, linear layers), `inside` those inside the layers.
    """
    rows = []
    for name, parameter in model.named_parameters():
        elements = parameter.numel()
        mask = seen.masks.get(name)
        network = 0 if mask is None else int(mask.sum())
        directly = covered_alone(name, alone)
        found = elements if directly else network
        rest = "" if network == elements else directly or cover_rest(name, inside)
        share = found / elements if elements else 1.0
        rows.append(TensorCoverage(name, elements, found, network, share, rest))
    return rows


def covered_alone(name: str, alone: set[str]) -> str:
    """What looked at the whole tensor alone, if anything did."""
    module, _, _ = name.rpartition(".")
    if module.rsplit(".", 1)[-1] in alone:
        return _ALONE["word_embeddings.weight"]
    for kind in ("norm", "linear"):
        if f"{kind}:{_in_backbone(module)}" in alone:
            return _ALONE[kind]
    return ""


def _in_backbone(name: str) -> str:
    """Paddle's name, from the backbone on."""
    return paddle_name(name).replace("ernie_m.", "", 1)


def cover_rest(name: str, inside: set[str]) -> str:
    """What finds a fault in the elements that no output shows."""
    weights = "the weights' check (bytes)"
    if name.endswith("k_proj.bias"):
        return f"softmax is the same for every constant added to a row: {weights}, and the keys inside the layers"
    part = _in_backbone(name).replace("encoder.", "")
    if part.rpartition(".")[0] in inside:
        return f"{weights}, and the site {part.rpartition('.')[0]} inside the layers"
    return weights
