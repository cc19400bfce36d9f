"""Bytes that a file stores as text: each byte is a code point below 256, encoded as UTF-8.

Pickles of protocol 2 written by Python 3 hold arrays this way. The embedding of a base model is 1.15 GB of such text,
so it is counted and decoded in pieces.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from converter.common.errors import file_error
from converter.files.mapped_file import read_piece

if TYPE_CHECKING:
    import numpy as np

#: Pieces that fit into the processor's cache are checked twice as fast as pieces of a megabyte.
_CHECK_BYTES = 128 << 10
_DECODE_BYTES = 32 << 10


@dataclass(frozen=True)
class Latin1Bytes:
    """`coded` bytes of text from `start`, which are `size` bytes once decoded. `count_latin1` has checked them."""

    buffer: mmap.mmap
    start: int
    coded: int
    size: int

    @property
    def place(self) -> tuple[str, int, int]:
        return str(id(self.buffer)), self.start, self.start + self.coded

    def view(self) -> None:
        return None

    def pieces(self) -> Iterator[memoryview]:
        at, end, left = self.start, self.start + self.coded, self.size
        while at < end:
            piece = read_piece(self.buffer, at, min(_DECODE_BYTES, end - at))
            if piece[-1] & 0xFE == 0xC2 and len(piece) > 1:
                piece = piece[:-1]  # Do not split the two bytes of a character.
            decoded = _decode(piece)
            at, left = at + len(piece), left - len(decoded)
            if left < 0 or (left > 0 and at >= end):
                name = getattr(self.buffer, "name", "")
                raise file_error("E303", name, "has other bytes than when it was opened. Is something writing it?")
            yield decoded

    def raw(self) -> None:
        return None


def _decode(text: memoryview) -> memoryview:
    """What whole characters stand for: a second byte is the byte itself behind C2, and has one more bit behind C3.

    Of random bytes half are two bytes of text. A loop over characters guesses wrongly at every other one, Python's
    decoder too, and holds the lock of the interpreter; these operations do neither.
    """
    import numpy as np

    coded = np.frombuffer(text, np.uint8)
    decoded = coded.copy()
    decoded[1:] |= (coded[:-1] == 0xC3).view(np.uint8) << 6
    return np.compress(coded - np.uint8(0xC2) > 1, decoded).data


def count_latin1(buffer: mmap.mmap, start: int, coded: int) -> int | None:
    """How many bytes the text stands for, or None when it is not valid UTF-8 of code points below 256.

    Such text has three kinds of bytes: ASCII; C2 or C3, the first byte of the other 128 code points; and 80 to BF,
    which follow a first byte and nothing else.
    """
    import numpy as np

    size, open_character = 0, False
    for at in range(start, start + coded, _CHECK_BYTES):
        stop = min(at + _CHECK_BYTES, start + coded)
        piece = np.frombuffer(memoryview(buffer)[at:stop], np.uint8)
        counted = _count_piece(piece, open_character)
        if counted is None:
            return None
        size, open_character = size + counted, bool(piece[-1] & 0xFE == 0xC2)
    return None if open_character else size


def _count_piece(piece: np.ndarray, open_character: bool) -> int | None:
    """The characters that start in a piece; `open_character`: the previous piece ended in a first byte."""
    import numpy as np

    first = (piece & 0xFE) == 0xC2
    second = (piece & 0xC0) == 0x80
    seconds = int(np.count_nonzero(second))
    known = int(np.count_nonzero(piece < 0x80)) + int(np.count_nonzero(first)) + seconds
    if known != len(piece) or bool(second[0]) != open_character or not np.array_equal(second[1:], first[:-1]):
        return None
    return len(piece) - seconds
