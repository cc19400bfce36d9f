"""Messages are walked as they are, and refused where the bytes do not fit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.files.protobuf import WireError, walk_fields


def walk(data: bytes) -> list[tuple[int, object]]:
    fields = walk_fields(memoryview(data))
    return [
        (field.number, bytes(field.value) if isinstance(field.value, memoryview) else field.value) for field in fields
    ]


def test_every_wire_type_is_read() -> None:
    data = bytes([0x08, 0x96, 0x01]) + b"\x12\x03abc" + b"\x1d\x01\x02\x03\x04" + b"\x21" + b"12345678"
    assert walk(data) == [(1, 150), (2, b"abc"), (3, b"\x01\x02\x03\x04"), (4, b"12345678")]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x12\x04abc", "a field of 4 bytes where 3 are left"),
        (b"\x08\x80", "a number is cut off"),
        (b"\x08" + b"\xff" * 10, "more than 10 bytes"),
        (b"\x0b", "unknown wire type 3"),
        (b"\x02\x00", "field number 0"),
        (b"\x1d\x01", "a field of 4 bytes where 1 are left"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(data: bytes, said: str) -> None:
    with pytest.raises(WireError, match=said):
        walk(data)


@given(st.binary(max_size=60))
def test_any_bytes_are_walked_or_refused(data: bytes) -> None:
    try:
        fields = walk(data)
    except WireError:
        return
    assert all(number > 0 for number, _ in fields)
