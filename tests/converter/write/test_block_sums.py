"""A block that reads back changed has other sums, whatever was changed."""

from __future__ import annotations

import numpy as np
import pytest

from converter.write.block_sums import sum_block

PAGE = 4096
DATA = np.random.default_rng(1).bytes(8 * PAGE + 100)


def swapped(one: int, other: int, size: int) -> bytes:
    data = bytearray(DATA)
    data[one : one + size], data[other : other + size] = data[other : other + size], data[one : one + size]
    return bytes(data)


@pytest.mark.parametrize("at", [0, 7, 8, PAGE, 3 * PAGE + 17, 8 * PAGE - 1, 8 * PAGE, len(DATA) - 1])
@pytest.mark.parametrize("bit", [0, 7])
def test_one_bit(at: int, bit: int) -> None:
    data = bytearray(DATA)
    data[at] ^= 1 << bit
    assert sum_block(bytes(data)) != sum_block(DATA)


@pytest.mark.parametrize(
    "changed",
    [
        swapped(0, 8, 8),  # words of one page
        swapped(16, PAGE + 16, 8),  # words of one place in two pages
        swapped(0, 5 * PAGE + 8, 8),
        swapped(PAGE, 2 * PAGE, PAGE),
        swapped(0, 4 * PAGE, 4 * PAGE),
        DATA[:PAGE] + bytes(PAGE) + DATA[2 * PAGE :],
        DATA[:PAGE] + DATA[:PAGE] + DATA[2 * PAGE :],
        DATA[8:] + DATA[:8],
        DATA[:-1],
        DATA + b"\0",
        b"",
    ],
)
def test_words_and_pages(changed: bytes) -> None:
    assert changed != DATA and sum_block(changed) != sum_block(DATA)


def test_the_same_bytes_wherever_they_lie() -> None:
    shifted = memoryview(b"x" + DATA)[1:]
    assert sum_block(shifted) == sum_block(DATA) and sum_block(b"") == sum_block(memoryview(b""))
