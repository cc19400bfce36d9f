"""Blocks are the target's bytes, in order, wherever the source has them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from converter.files.mapped_file import map_descriptor
from converter.files.tensors import DTYPES, ByteSource, MappedBytes, SourceTensor
from converter.plan.plan import PlannedTensor
from converter.write import blocks as module
from converter.write.blocks import Blocks


@dataclass(frozen=True)
class Decoded:
    """Bytes that no file holds as they are, in pieces that cut elements."""

    data: bytes
    piece: int = 999

    @property
    def size(self) -> int:
        return len(self.data)

    @property
    def place(self) -> tuple[str, int, int]:
        return "decoded", 0, len(self.data)

    def view(self) -> None:
        return None

    def pieces(self) -> Iterator[bytes]:
        stream = io.BytesIO(self.data)
        yield from iter(lambda: stream.read(self.piece), b"")

    def raw(self) -> None:
        return None


def runs_of(kind: str, data: bytes, folder: Path) -> tuple[ByteSource, ...]:
    if kind == "decoded":
        return (Decoded(data),)
    path = folder / "file"
    path.write_bytes(b"head!" + data + b"end")
    with open(path, "rb") as file:
        buffer = map_descriptor(file.fileno(), "file")
    if kind == "slices":
        cut = len(data) // 3 // 8 * 8
        return MappedBytes(buffer, 5, cut), MappedBytes(buffer, 5 + cut, len(data) - cut)
    return (MappedBytes(buffer, 5, len(data)),)


@pytest.mark.parametrize("kind", ["mapped", "decoded", "slices"])
@pytest.mark.parametrize("op", ["keep", "transpose"])
@pytest.mark.parametrize("fortran", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize("shape", [(130, 67), (1, 40), (40, 1), (0, 5), (64, 128)])
def test_blocks_are_the_target_in_order(
    kind: str,
    op: str,
    fortran: bool,
    dtype: str,
    shape: tuple[int, int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if kind != "decoded" and 0 in shape:
        return
    monkeypatch.setattr(module, "BLOCK_BYTES", 4096)
    array = np.random.default_rng(0).integers(0, 60000, shape).astype(DTYPES[dtype][0])
    data = array.tobytes(order="F" if fortran else "C")
    source = SourceTensor("t", shape, dtype, "file", runs_of(kind, data, tmp_path), fortran)
    target = array.T if op == "transpose" else array
    tensor = PlannedTensor(source, "t", op, target.shape, dtype)
    blocks = Blocks(2)
    for _ in range(2):  # The second time buffers hold what was there before.
        found, last = b"", []
        for block in blocks.read(tensor):
            last = [*last[-2:], (block, block.tobytes())]
            # Those that were asked for last are still what they were.
            assert all(kept.tobytes() == was for kept, was in last)
            found += block.tobytes()
        assert found == np.ascontiguousarray(target).tobytes()
