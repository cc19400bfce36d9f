"""Which elements of each tensor the inputs can see at all: those with a gradient above the noise in some case."""

from __future__ import annotations

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
class RowsMask:
    """Rows of a table by ascending number, and which of their elements were shown: few of its words are in a text."""

    rows: np.ndarray
    shown: np.ndarray

    def merge(self, other: RowsMask) -> RowsMask:
        """What either shows."""
        import numpy as np

        rows = np.union1d(self.rows, other.rows)
        shown = np.zeros((len(rows), self.shown.shape[1]), np.bool_)
        for one in (self, other):
            shown[np.searchsorted(rows, one.rows)] |= one.shown
        return RowsMask(rows, shown)


@dataclass
class CoverageMask:
    """Parameter -> which elements some gradient has shown."""

    masks: dict[str, torch.Tensor] = field(default_factory=dict)
    tables: dict[str, RowsMask] = field(default_factory=dict)
    #: Parameters of which every element was shown: others need not be looked at again.
    whole: set[str] = field(default_factory=set)

    def add(self, name: str, gradient: torch.Tensor, noise: float, rows: np.ndarray | None = None) -> None:
        """Count the elements that are above `noise`. Of a table `gradient` holds only the `rows` that are not 0."""
        if name in self.whole:
            return
        above = (gradient > noise) | (gradient < -noise)
        if rows is None:
            self._add_mask(name, above)
        else:
            self._add_rows(name, RowsMask(rows, above.numpy()))

    def merge(self, other: CoverageMask) -> None:
        """Add what another mask of the same parameters shows."""
        self.whole |= other.whole
        for name, mask in other.masks.items():
            self._add_mask(name, mask)
        for name, rows in other.tables.items():
            self._add_rows(name, rows)

    def shown(self, name: str, elements: int) -> int:
        """How many elements of a parameter that has so many."""
        if name in self.whole:
            return elements
        if name in self.tables:
            return int(self.tables[name].shown.sum())
        return int(self.masks[name].sum()) if name in self.masks else 0

    def _add_mask(self, name: str, mask: torch.Tensor) -> None:
        if name in self.whole:
            return
        mask = self.masks.pop(name) | mask if name in self.masks else mask
        if bool(mask.all()):
            self.whole.add(name)
        else:
            self.masks[name] = mask

    def _add_rows(self, name: str, rows: RowsMask) -> None:
        self.tables[name] = self.tables[name].merge(rows) if name in self.tables else rows


def coverage(mask: CoverageMask, model: Any, family: Family, alone: set[str]) -> list[TensorCoverage]:
    """Per tensor: elements, how many of them a check of the numbers sees, and what covers the rest. `alone`: the
    activations of modules that were run alone (tables, norms, linear layers)."""
    rows = []
    for name, parameter in model.named_parameters():
        elements = parameter.numel()
        network = mask.shown(name, elements)
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
