"""Two tensors are compared bit for bit, however they lie in the file and however large they are."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from converter.files import same_bytes
from converter.files.same_bytes import have_same_bytes

blocks = pytest.mark.parametrize("block", [1, 48, 1 << 20])
orders = pytest.mark.parametrize("order", ["C", "F"])


def equal(one: np.ndarray, other: np.ndarray) -> bool:
    tensors: list[Any] = [
        SimpleNamespace(shape=array.shape, dtype=array.dtype.name, read=lambda array=array: array)
        for array in (one, other)
    ]
    return have_same_bytes(*tensors)


@pytest.mark.parametrize("shape", [(), (0,), (7,), (7, 5), (7, 0)])
@orders
@blocks
def test_copies(shape: tuple[int, ...], order: Any, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(same_bytes, "BLOCK_BYTES", block)
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    assert equal(array, np.array(array, order=order)) and equal(np.array(array, order=order), array)


@pytest.mark.parametrize("place", [(0, 0), (3, 4), (6, 4)])
@orders
@blocks
def test_one_bit(place: tuple[int, int], order: Any, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(same_bytes, "BLOCK_BYTES", block)
    array = np.arange(35, dtype=np.float32).reshape(7, 5)
    other = np.array(array, order=order)
    other[place] = np.nextafter(other[place], np.float32(np.inf))
    assert not equal(array, other)


def test_equal_nan_are_equal_and_two_zeros_are_not() -> None:
    assert equal(np.array([np.nan, 1.0], np.float32), np.array([np.nan, 1.0], np.float32))
    assert not equal(np.array([0.0], np.float32), np.array([-0.0], np.float32))


@pytest.mark.parametrize("other", [np.zeros((2, 3), np.float32), np.zeros((3, 2), np.float16)])
def test_another_shape_or_dtype(other: np.ndarray) -> None:
    assert not equal(np.zeros((3, 2), np.float32), other)
