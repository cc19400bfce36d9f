"""A protobuf wire-format reader that walks a message without a schema and allocates nothing that a file asks for.

(Protocol Buffers encoding specification: a field is a varint of number * 8 + wire type, then its value.)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Union

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_FIXED_SIZES = {FIXED64: 8, FIXED32: 4}


class Field(NamedTuple):
    """One field: its number, its wire type, its value (an int, or the bytes) and where it starts."""

    number: int
    wire_type: int
    value: Union[int, memoryview]
    offset: int


class WireError(ValueError):
    """The bytes are not a protobuf message. `offset` is the byte where that was found."""

    def __init__(self, offset: int, reason: str) -> None:
        self.offset = offset
        super().__init__(f"{reason} at byte {offset}")


def walk_fields(message: memoryview) -> Iterator[Field]:
    """The fields of a message in order, values as views. Raises WireError where the bytes do not fit."""
    at = 0
    while at < len(message):
        field, at = read_field(message, at)
        yield field


def read_field(message: memoryview, at: int) -> tuple[Field, int]:
    """The field that starts at `at`, and where the next one does. Raises WireError."""
    start = at
    key, at = _read_varint(message, at)
    number, wire_type = key >> 3, key & 7
    if number == 0:
        raise WireError(start, "field number 0")
    value: Union[int, memoryview]
    if wire_type == VARINT:
        value, at = _read_varint(message, at)
    else:
        if wire_type == BYTES:
            size, at = _read_varint(message, at)
        elif wire_type in _FIXED_SIZES:
            size = _FIXED_SIZES[wire_type]
        else:
            raise WireError(start, f"unknown wire type {wire_type}")
        if size > len(message) - at:
            raise WireError(start, f"a field of {size} bytes where {len(message) - at} are left")
        value, at = message[at : at + size], at + size
    return Field(number, wire_type, value, start), at


def _read_varint(message: memoryview, at: int) -> tuple[int, int]:
    if at < len(message) and message[at] < 0x80:  # The common case; a vocabulary has 250,000 of them.
        return message[at], at + 1
    value = 0
    for index in range(10):
        if at + index >= len(message):
            raise WireError(at, "a number is cut off")
        byte = message[at + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, at + index + 1
    raise WireError(at, "a number of more than 10 bytes")
