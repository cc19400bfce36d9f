"""The operations that take a source tensor to its target, each with its inverse. All are views: no bytes move here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    import numpy as np

    View = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Operation:
    """`apply` takes the source array to the target array, `invert` takes it back, bit for bit. `inverse` is the name of
    the operation that does what `invert` does."""

    name: str
    apply: View
    invert: View
    target_shape: Callable[[tuple[int, ...]], tuple[int, ...]]
    ranks: tuple[int, ...]
    inverse: str


def _same(array: np.ndarray) -> np.ndarray:
    return array


def _transposed(array: np.ndarray) -> np.ndarray:
    return array.T


OPERATIONS: dict[str, Operation] = {
    "keep": Operation("keep", _same, _same, lambda shape: shape, (0, 1, 2), "keep"),
    "transpose": Operation("transpose", _transposed, _transposed, lambda shape: shape[::-1], (2,), "transpose"),
}
