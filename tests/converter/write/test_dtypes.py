"""Each conversion rounds once, to nearest, ties to even: compared with torch and with exact neighbours."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from converter.write.dtypes import convert_block, count_nonfinite

torch = pytest.importorskip("torch")

KINDS = {"float64": "<f8", "float32": "<f4", "float16": "<f2", "bfloat16": "<u2"}
TORCH = {"float64": torch.float64, "float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


def from_bits(bits: np.ndarray, dtype: str) -> torch.Tensor:
    signed = {2: "<i2", 4: "<i4", 8: "<i8"}[bits.itemsize]
    return torch.from_numpy(bits.view(signed).copy()).view(TORCH[dtype])


def bits_of(tensor: torch.Tensor) -> np.ndarray:
    signed = {2: torch.int16, 4: torch.int32, 8: torch.int64}[tensor.element_size()]
    return tensor.view(signed).numpy().view(f"<u{tensor.element_size()}")


# torch rounds float64 to bfloat16 by way of float32, twice; the next test has the exact rule for that pair.
PAIRS = [(source, target) for source in KINDS for target in KINDS if (source, target) != ("float64", "bfloat16")]


@pytest.mark.parametrize(("source", "target"), PAIRS)
@given(data=st.data())
def test_every_pair_agrees_with_torch_on_any_bits(source: str, target: str, data: st.DataObject) -> None:
    kind = np.dtype(KINDS[source])
    bits = data.draw(arrays(f"<u{kind.itemsize}", 8))
    found = convert_block(bits.view(kind), source, target)
    expected = from_bits(bits, source).to(TORCH[target])
    nan = torch.isnan(expected).numpy()
    assert np.array_equal(torch.isnan(from_bits(found.view(f"<u{found.itemsize}"), target)).numpy(), nan)
    assert np.array_equal(found.view(f"<u{found.itemsize}")[~nan], bits_of(expected)[~nan])


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-3e38, max_value=3e38))
def test_float64_to_bfloat16_takes_the_nearest_and_the_even_one_of_two(value: float) -> None:
    bits = int(convert_block(np.array([value]), "float64", "bfloat16")[0])
    magnitude, sign = bits & 0x7FFF, -1.0 if bits & 0x8000 else 1.0
    below, found, above = (sign * as_float(magnitude + step) for step in (-1 if magnitude else 0, 0, 1))
    distance = abs(value - found)
    assert distance <= abs(value - below) and distance <= abs(value - above)
    if magnitude and (distance == abs(value - below) or distance == abs(value - above)) and distance > 0:
        assert bits % 2 == 0


def as_float(bits: int) -> float:
    return float(np.array([bits << 16], "<u4").view("<f4")[0])


def test_a_value_just_over_a_tie_is_not_rounded_twice() -> None:
    """1 + 2^-8 is a tie between two bfloat16 numbers; a little more must go up, though float32 loses it."""
    tie = 1 + 2.0**-8
    assert convert_block(np.array([tie, tie + 2.0**-40]), "float64", "bfloat16").tolist() == [0x3F80, 0x3F81]


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_what_is_not_finite_is_counted(dtype: str) -> None:
    block = np.array([1, np.nan, np.inf, -np.inf, 0], KINDS[dtype])
    assert count_nonfinite(block, dtype) == 3
    assert count_nonfinite(np.full(1000, np.finfo(KINDS[dtype]).max, KINDS[dtype]), dtype) == 0


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("value", [np.nan, -np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 500, 999])
def test_one_value_that_is_not_finite_is_found(dtype: str, value: float, place: int) -> None:
    block = np.linspace(-3, 3, 1000)
    block[place] = value
    assert count_nonfinite(convert_block(block, "float64", dtype), dtype) == 1


def test_what_is_not_finite_is_counted_in_bfloat16() -> None:
    assert count_nonfinite(np.array([0x7F80, 0xFF80, 0x7FC0, 0x7F7F, 0], "<u2"), "bfloat16") == 3
