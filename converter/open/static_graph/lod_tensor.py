"""Read one tensor of a static graph: the stream of a LoDTensor (a DenseTensor since 2.3), as in Paddle 1.8 to 3.3.

(paddle/fluid/framework/lod_tensor.cc, tensor_util.cc: TensorToStream.) u32 version 0; u64 number of LoD levels, each a
u64 byte count and offsets; u32 tensor version 0; i32 length of a protobuf TensorDesc; the desc; the numbers, whose
count only the desc has.
"""

from __future__ import annotations

import mmap
import struct
from typing import NamedTuple

from converter.common.errors import FileError, file_error
from converter.files.protobuf import VARINT, WireError, walk_fields
from converter.files.regular_files import HEAD_BYTES, quoted, recognise
from converter.files.tensors import DTYPES, element_count, is_shape

#: VarType.Type of Paddle's framework.proto.
DATA_TYPES = {
    0: "bool",
    1: "int16",
    2: "int32",
    3: "int64",
    4: "float16",
    5: "float32",
    6: "float64",
    20: "uint8",
    21: "int8",
    22: "bfloat16",
}
_OTHER_TYPES = {
    19: "SIZE_T",
    23: "COMPLEX64",
    24: "COMPLEX128",
    32: "FP8_E4M3FN",
    33: "FP8_E5M2",
    36: "UINT16",
    37: "UINT32",
    38: "UINT64",
}
#: A data type and some dimensions of at most ten bytes each.
_MOST_DESC = 256
#: Real tensors have none or one level; other models have two or three.
_MOST_LEVELS = 8


class Stream(NamedTuple):
    """One tensor of a file: dtype, shape, the place of its numbers and their size in bytes."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    size: int

    @property
    def end(self) -> int:
        return self.start + self.size


class StreamError(ValueError):
    """The bytes are not such a stream. `offset` is the byte where that was found."""

    def __init__(self, offset: int, reason: str) -> None:
        self.offset = offset
        super().__init__(reason)


def read_stream(buffer: mmap.mmap, at: int) -> Stream:
    """The stream that begins at byte `at`; its numbers are inside the file. Raises StreamError."""
    begin = at
    if _number(buffer, at, "<I", "the version") != 0:
        raise StreamError(at, "no tensor of a static graph begins here (its version would be 0)")
    levels, at = _read_levels(buffer, at + 4)
    if _number(buffer, at, "<I", "the tensor's version") != 0:
        raise StreamError(at, "the tensor's version is not 0")
    length = _number(buffer, at + 4, "<i", "the length of the description")
    at += 8
    if not 0 < length <= _MOST_DESC:
        raise StreamError(at - 4, f"a description of {length} bytes, expected 1 to {_MOST_DESC}")
    _need(buffer, at, length, "the description")
    dtype, shape = read_desc(buffer[at : at + length], at)
    start, size = at + length, element_count(shape) * DTYPES[dtype][1]
    if size > len(buffer) - start:
        needed = f"{list(shape)} of {dtype} takes {size} bytes"
        raise StreamError(start, f"{needed} and {len(buffer) - start} are left. Is the file complete?")
    if levels and (not shape or levels[-1] != shape[0]):
        raise StreamError(begin + 4, f"its LoD ends at row {levels[-1]}, and the shape is {list(shape)}")
    return Stream(dtype, shape, start, size)


def _read_levels(buffer: mmap.mmap, at: int) -> tuple[tuple[int, ...], int]:
    """The last offset of the last level, and the position after it. Each level counts the parts of the next."""
    import numpy as np

    count = _number(buffer, at, "<Q", "the number of LoD levels")
    if count > _MOST_LEVELS:
        raise StreamError(at, f"{count} LoD levels, expected none")
    at += 8
    last: tuple[int, ...] = ()
    for level in range(count):
        size = _number(buffer, at, "<Q", "the size of a LoD level")
        at += 8
        _need(buffer, at, size, "a LoD level")
        offsets = np.frombuffer(buffer[at : at + size] if 16 <= size <= 1 << 20 and size % 8 == 0 else b"", "<u8")
        rising = len(offsets) > 0 and offsets[0] == 0 and bool((offsets[:-1] <= offsets[1:]).all())
        if not rising or (level and last[-1] != len(offsets) - 1):
            raise StreamError(at - 8, f"LoD level {level} of {size} bytes is no list of rising offsets from 0")
        last, at = (int(offsets[-1]),), at + size
    return last, at


def read_desc(desc: bytes, at: int = 0) -> tuple[str, tuple[int, ...]]:
    """dtype and shape of a TensorDesc that lies at byte `at` of its file. Raises StreamError."""
    try:
        fields = [(field.number, field.wire_type, field.value) for field in walk_fields(memoryview(desc))]
    except WireError as error:
        raise StreamError(at + error.offset, f"the description is no protobuf message: {error}") from None
    plain = [value for number, kind, value in fields if kind == VARINT and isinstance(value, int)]
    if [number for number, _, _ in fields] != [1] + [2] * (len(fields) - 1) or len(plain) != len(fields):
        raise StreamError(at, "the description is not a data type and dimensions")
    dtype = DATA_TYPES.get(plain[0])
    if dtype is None:
        known = _OTHER_TYPES.get(plain[0], "unknown")
        raise StreamError(at, f"data type {plain[0]} ({known}), which is not supported")
    shape = tuple(plain[1:])
    if not is_shape(shape):
        raise StreamError(at, f"dimensions {_signed(shape)}, which no tensor has")
    if write_desc(plain[0], shape) != desc:
        raise StreamError(at, "the description has numbers that are longer than they need be")
    return dtype, shape


def write_desc(data_type: int, shape: tuple[int, ...]) -> bytes:
    """A TensorDesc exactly as Paddle writes it."""
    return b"\x08" + _varint(data_type) + b"".join(b"\x10" + _varint(size) for size in shape)


def _varint(value: int) -> bytes:
    groups = bytearray()
    while value >= 0x80:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)


def _signed(sizes: tuple[int, ...]) -> list[int]:
    return [size - (1 << 64) if size >> 63 == 1 else size for size in sizes[:9]]


def _number(buffer: mmap.mmap, at: int, form: str, what: str) -> int:
    _need(buffer, at, struct.calcsize(form), what)
    return int(struct.unpack_from(form, buffer, at)[0])


def _need(buffer: mmap.mmap, at: int, size: int, what: str) -> None:
    left = len(buffer) - at
    if size > left:
        raise StreamError(at, f"{what} takes {size} bytes and {left} are left. Is the file complete?")


def starts_as_stream(head: bytes) -> bool:
    """Whether a file begins like these streams: two versions of 0, few LoD levels, a plausible description."""
    if len(head) < 21 or head[:4] != bytes(4):
        return False
    if head[4:12] != bytes(8):
        return head[4] <= _MOST_LEVELS and head[5:12] == bytes(7)
    return head[12:16] == bytes(4) and head[18:21] == b"\0\0\x08"


def refusal(buffer: mmap.mmap, file: str, error: StreamError, stored_as: str = "") -> FileError:
    """The error for the user; it names the kind of a foreign file."""
    head = buffer[:HEAD_BYTES]
    foreign = None if starts_as_stream(head) else recognise(head, len(buffer))
    if foreign is None and head[:1] == b"\x80":
        foreign = "a pickle (.pdparams?), not a tensor of a static graph"
    if foreign is not None:
        return file_error("E304", file, f"is {foreign}")
    where = f"{quoted(stored_as, 200)}: " if stored_as else ""
    return file_error("E320", file, where + str(error), offset=error.offset)
