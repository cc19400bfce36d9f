"""Which elements of each tensor the inputs can see at all: those with a gradient above the noise in some case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mappings.family import Family
from mappings.network import LINEAR, NORM
from verify.results.numbers import TensorCoverage

if TYPE_CHECKING:
    import numpy as np
    import torch

_TABLE = "every row through the table alone"
_ALONE = {NORM: "every LayerNorm alone, with a small input", LINEAR: "every linear layer alone"}
_BYTES = "the weights' check (bytes)"


@dataclass
class CoverageMask:
    """Parameter -> which elements some gradient has shown."""

    masks: dict[str, torch.Tensor] = field(default_factory=dict)
    #: Parameters of which every element was shown: others need not be looked at again.
    whole: set[str] = field(default_factory=set)

    def add(
        self, name: str, shape: Sequence[int], gradient: torch.Tensor, noise: float, rows: np.ndarray | None = None
    ) -> None:
        """Count the elements that are above `noise`. `shape` is the parameter's; of a table `gradient` holds only the
        `rows` that are not 0."""
        import torch

        if name in self.whole:
            return
        if name not in self.masks:
            self.masks[name] = torch.zeros(*shape, dtype=torch.bool)
        mask, above = self.masks[name], (gradient > noise) | (gradient < -noise)
        if rows is None:
            mask |= above
            if bool(mask.all()):
                self.whole.add(name)
        else:
            mask[torch.from_numpy(rows)] |= above


def coverage(mask: CoverageMask, model: Any, family: Family, alone: set[str]) -> list[TensorCoverage]:
    """Per tensor: elements, how many of them a check of the numbers sees, and what covers the rest. `alone`: the
    activations of modules that were run alone (tables, norms, linear layers)."""
    rows = []
    for name, parameter in model.named_parameters():
        elements = parameter.numel()
        shown = mask.masks.get(name)
        network = 0 if shown is None else int(shown.sum())
        directly = covered_alone(name, family, alone)
        found = elements if directly else network
        rest = "" if network == elements else directly or _cover_rest(name, family)
        rows.append(TensorCoverage(name, elements, found, network, found / elements if elements else 1.0, rest))
    return rows


def covered_alone(name: str, family: Family, alone: set[str]) -> str:
    """Which module that was run alone shows the whole tensor, if any does."""
    module = family.without_backbone(family.paddle_name(name)).rpartition(".")[0]
    if any(module == table.module and table.name in alone for table in family.network.tables):
        return _TABLE
    return next((text for kind, text in _ALONE.items() if kind + module in alone), "")


def _cover_rest(name: str, family: Family) -> str:
    """What finds a fault in the elements that no output shows."""
    if family.paddle_name(name).endswith(f".{family.network.attention.key}.bias"):
        return f"softmax is the same for every constant added to a row: {_BYTES}, and the keys inside the layers"
    return _BYTES
