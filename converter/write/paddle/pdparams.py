"""model_state.pdparams: the pickle of a dict of arrays as `paddle.save` writes it, without Paddle and without pickling.

The opcodes are written one by one, and the bytes of each tensor in blocks between them: no tensor is ever in memory as
a whole. `paddle.load` and this tool's own reader read it back. bfloat16 is uint16 in Paddle's files.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from converter.common.errors import OutputError, Problem
from converter.files.tensors import DTYPES
from converter.open.pickle.opcodes import CODES
from converter.open.pickle.pdparams import NAME_TABLE, open_pdparams
from converter.plan.plan import PlannedTensor
from converter.write.blocks import Blocks
from converter.write.dtypes import count_nonfinite
from converter.write.new_files import create_file
from converter.write.shards import Advance, WrittenTensor, target_bytes

#: Of numpy 1, which numpy 2 knows as well. (`numpy._core` is of numpy 2 alone.)
_MODULE = "numpy.core.multiarray"
_PROTOCOL = 4
_MOST_SHORT = 1 << 32


def write_pdparams(path: Path, tensors: Sequence[PlannedTensor], advance: Advance) -> tuple[list[WrittenTensor], int]:
    """Write the file and read it back. Returns the tensors with the checksums of their bytes, and how many of their
    values are NaN or infinite. Raises OutputError when the file does not read back as it was written."""
    written, odd = [], 0
    with create_file(path) as file:
        writer = _Writer(file)
        for tensor in tensors:
            digest, nonfinite = writer.add(tensor, advance)
            written.append(WrittenTensor(tensor, path.name, digest))
            odd += nonfinite
        writer.finish([tensor.target for tensor in tensors])
    _check_written(path, written)
    return written, odd


class _Writer:
    """Writes a dict of arrays. The parts that every array has are made once and fetched from the memo."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._blocks = Blocks()
        self._memo: dict[str, int] = {}
        file.write(CODES["PROTO"] + bytes([_PROTOCOL]) + CODES["EMPTY_DICT"])
        file.write(CODES["MARK"])

    def add(self, tensor: PlannedTensor, advance: Advance) -> tuple[str, int]:
        """One array under its name: `_reconstruct(ndarray, (0,), b"b")`, then its state (1, shape, dtype, row order,
        bytes)."""
        file, size = self._file, target_bytes(tensor)
        file.write(_text(tensor.target))
        self._global(_MODULE, "_reconstruct")
        self._global("numpy", "ndarray")
        file.write(
            _number(0) + CODES["TUPLE1"] + CODES["SHORT_BINBYTES"] + b"\x01b" + CODES["TUPLE3"] + CODES["REDUCE"]
        )
        file.write(CODES["MARK"] + _number(1) + _shape(tensor.shape))
        self._dtype(DTYPES[tensor.dtype][0])
        file.write(CODES["NEWFALSE"])
        file.write(
            CODES["BINBYTES"] + struct.pack("<I", size)
            if size < _MOST_SHORT
            else CODES["BINBYTES8"] + struct.pack("<Q", size)
        )
        hasher, odd = hashlib.sha256(), 0
        for block in self._blocks.read(tensor):
            odd += count_nonfinite(block, tensor.dtype)
            data = block.data.cast("B") if block.size else b""
            hasher.update(data)
            file.write(data)
            advance(len(data))
        file.write(CODES["TUPLE"] + CODES["BUILD"])
        return hasher.hexdigest(), odd

    def finish(self, names: Sequence[str]) -> None:
        """The table of variable names, by which `paddle.load` knows a state dict: each tensor has its own."""
        file = self._file
        file.write(_text(NAME_TABLE) + CODES["EMPTY_DICT"] + CODES["MARK"])
        for name in names:
            file.write(_text(name) * 2)
        file.write(CODES["SETITEMS"] + CODES["SETITEMS"] + CODES["STOP"])

    def _global(self, module: str, name: str) -> None:
        if not self._fetch(f"{module}.{name}"):
            self._file.write(_text(module) + _text(name) + CODES["STACK_GLOBAL"])
            self._keep(f"{module}.{name}")

    def _dtype(self, code: str) -> None:
        """`dtype("f4", False, True)` with the state (3, "<", None, None, None, -1, -1, 0)."""
        if self._fetch(code):
            return
        file = self._file
        self._global("numpy", "dtype")
        file.write(_text(code[1:]) + CODES["NEWFALSE"] + CODES["NEWTRUE"] + CODES["TUPLE3"] + CODES["REDUCE"])
        unset = CODES["BININT"] + struct.pack("<i", -1)
        file.write(
            CODES["MARK"] + _number(3) + _text(code[0]) + CODES["NONE"] * 3 + unset * 2 + _number(0) + CODES["TUPLE"]
        )
        file.write(CODES["BUILD"])
        self._keep(code)

    def _fetch(self, key: str) -> bool:
        if key in self._memo:
            self._file.write(CODES["BINGET"] + bytes([self._memo[key]]))
        return key in self._memo

    def _keep(self, key: str) -> None:
        self._file.write(CODES["MEMOIZE"])
        self._memo[key] = len(self._memo)


def _text(text: str) -> bytes:
    data = text.encode()
    if len(data) < 256:
        return CODES["SHORT_BINUNICODE"] + bytes([len(data)]) + data
    return CODES["BINUNICODE"] + struct.pack("<I", len(data)) + data


def _number(value: int) -> bytes:
    if value < 256:
        return CODES["BININT1"] + bytes([value])
    if value < 1 << 31:
        return CODES["BININT"] + struct.pack("<i", value)
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return CODES["LONG1"] + bytes([len(data)]) + data


def _shape(shape: tuple[int, ...]) -> bytes:
    return CODES["MARK"] + b"".join(map(_number, shape)) + CODES["TUPLE"]


def _check_written(path: Path, written: Sequence[WrittenTensor]) -> None:
    """This tool's own reader must find the planned names, shapes and dtypes, and the bytes that were written."""
    found = open_pdparams(path).tensors
    planned = {each.planned.target: (each.planned.shape, each.planned.dtype) for each in written}
    if {name: (tensor.shape, tensor.dtype) for name, tensor in found.items()} != planned:
        raise OutputError(Problem("E504", f"{path.name} reads back with other tensors than were written"))
    for each in written:
        hasher = hashlib.sha256()
        for run in found[each.planned.target].runs:
            for piece in run.pieces():
                hasher.update(piece)
        if hasher.hexdigest() != each.sha256:
            name = each.planned.target
            raise OutputError(Problem("E504", f"{path.name}: {name} reads back changed. Is the disk sound?"))
