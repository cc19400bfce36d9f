"""One tensor of a static graph: each byte of its header means what Paddle means, or is refused with its place."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.common.errors import FileError
from converter.open.static_graph.lod_tensor import Stream, StreamError, read_stream
from tests.support.pickles import mapped, numbered
from tests.support.streams import desc, open_stream, stream, stream_of, varint

FLOATS = desc(5, (2, 3))
DATA = numbered(2, 3).tobytes()


def read(data: bytes, at: int = 0) -> Stream:
    return read_stream(mapped(data), at)


def test_the_header_of_the_paper() -> None:
    """[1000, 64] fp32, byte by byte as a real file has it (FORMATS.md 3.1)."""
    head = bytes.fromhex("00000000 0000000000000000 00000000 07000000 08 05 10 e807 10 40")
    assert read(head + bytes(256000)) == Stream("float32", (1000, 64), 27, 256000)


@pytest.mark.parametrize(
    ("code", "dtype", "size"),
    [
        (0, "bool", 1),
        (1, "int16", 2),
        (2, "int32", 4),
        (3, "int64", 8),
        (4, "float16", 2),
        (5, "float32", 4),
        (6, "float64", 8),
        (20, "uint8", 1),
        (21, "int8", 1),
        (22, "bfloat16", 2),
    ],
)
def test_every_data_type(code: int, dtype: str, size: int) -> None:
    found = read(stream_of(desc(code, (3,)), bytes(3 * size)))
    assert (found.dtype, found.shape, found.size) == (dtype, (3,), 3 * size)


def test_no_dimensions_are_one_number_and_a_dimension_of_0_is_none() -> None:
    assert read(stream_of(desc(5, ()), bytes(4)))[:2] == ("float32", ())
    assert read(stream_of(desc(5, (0, 4)), b"")).size == 0


def test_lod_levels_are_passed_over() -> None:
    outer, inner = struct.pack("<3Q", 0, 2, 3), struct.pack("<4Q", 0, 1, 2, 2)
    assert read(stream_of(FLOATS, DATA, (outer, inner))).end == len(stream_of(FLOATS, DATA, (outer, inner)))


def test_the_tensor_reads_as_a_view_of_the_file(tmp_path: Path) -> None:
    opened = open_stream(tmp_path, stream(numbered(5, 4)), "word_embedding")
    (tensor,) = opened.tensors.values()
    assert (tensor.name, tensor.stored_as, tensor.file) == (
        "embeddings.word_embeddings.weight",
        "word_embedding",
        "word_embedding",
    )
    array = tensor.read()
    assert array.tobytes() == numbered(5, 4).tobytes() and not array.flags.writeable and not array.flags.owndata


WHOLE = stream(numbered(2, 3))
HOSTILE = {
    "another version": (b"\x01" + WHOLE[1:], 0, "version would be 0"),
    "another tensor version": (WHOLE[:12] + b"\x01" + WHOLE[13:], 12, "version is not 0"),
    "a billion LoD levels": (WHOLE[:4] + struct.pack("<Q", 1 << 30) + WHOLE[12:], 4, "LoD levels, expected none"),
    "a LoD level longer than the file": (
        struct.pack("<IQQ", 0, 1, 1 << 60) + WHOLE[12:],
        20,
        "takes 1152921504606846976 bytes",
    ),
    "a LoD level of no whole offsets": (stream_of(FLOATS, DATA, (bytes(17),)), 12, "LoD level 0 of 17 bytes"),
    "an empty LoD level": (stream_of(FLOATS, DATA, (b"",)), 12, "LoD level 0 of 0 bytes"),
    "a LoD that falls": (stream_of(FLOATS, DATA, (struct.pack("<3Q", 0, 5, 2),)), 12, "no list of rising offsets"),
    "a LoD that begins late": (stream_of(FLOATS, DATA, (struct.pack("<2Q", 1, 2),)), 12, "offsets from 0"),
    "a LoD that ends elsewhere": (stream_of(FLOATS, DATA, (struct.pack("<2Q", 0, 9),)), 4, "its LoD ends at row 9"),
    "LoD levels that do not fit": (
        stream_of(FLOATS, DATA, (struct.pack("<2Q", 0, 9), struct.pack("<2Q", 0, 2))),
        36,
        "LoD level 1",
    ),
    "a description of -1 bytes": (WHOLE[:16] + struct.pack("<i", -1) + WHOLE[20:], 16, "a description of -1 bytes"),
    "a description of 0 bytes": (WHOLE[:16] + struct.pack("<i", 0) + WHOLE[20:], 16, "a description of 0 bytes"),
    "a description of 2 GiB": (WHOLE[:16] + struct.pack("<i", 2**31 - 1) + WHOLE[20:], 16, "of 2147483647 bytes"),
    "a description longer than the file": (WHOLE[:20] + desc(5, (2,)), 20, "are left"),
    "no data type": (stream_of(b"\x10\x02", DATA), 20, "not a data type and dimensions"),
    "two data types": (stream_of(b"\x08\x05" + FLOATS, DATA), 20, "not a data type and dimensions"),
    "a data type at the end": (stream_of(b"\x10\x02\x08\x05", DATA), 20, "not a data type and dimensions"),
    "a packed shape": (stream_of(b"\x08\x05\x12\x02\x02\x03", DATA), 20, "not a data type and dimensions"),
    "an unknown field": (stream_of(FLOATS + b"\x18\x01", DATA), 20, "not a data type and dimensions"),
    "a cut varint": (stream_of(b"\x08\x05\x10\x80", DATA), 23, "no protobuf message"),
    "complex numbers": (stream_of(desc(23, (2, 3)), DATA), 20, r"data type 23 \(COMPLEX64\)"),
    "fp8": (stream_of(desc(32, (2, 3)), DATA), 20, r"data type 32 \(FP8_E4M3FN\)"),
    "a data type of nobody": (stream_of(desc(77, (2, 3)), DATA), 20, r"data type 77 \(unknown\)"),
    "a negative dimension": (stream_of(desc(5, (-1, 3)), DATA), 20, r"dimensions \[-1, 3\]"),
    "dimensions whose product overflows": (stream_of(desc(5, (1 << 32, 1 << 32)), DATA), 20, "which no tensor has"),
    "dimensions whose product wraps to the size": (
        stream_of(desc(5, ((1 << 62) + 3, 2)), DATA),
        20,
        "which no tensor has",
    ),
    "a huge dimension beside a zero": (stream_of(desc(5, (0, 1 << 63)), b""), 20, "which no tensor has"),
    "sixty dimensions": (stream_of(desc(5, (1,) * 60), bytes(4)), 20, "which no tensor has"),
    "a dimension in more bytes than it needs": (stream_of(b"\x08\x05\x10\x86\x00", DATA), 20, "longer than they need"),
    "fewer numbers than the shape": (WHOLE[:-1], 26, r"\[2, 3\] of float32 takes 24 bytes and 23 are left"),
    "more numbers than the memory": (stream_of(desc(5, (1 << 40,)), DATA), 29, "takes 4398046511104 bytes"),
}


@pytest.mark.parametrize("idea", HOSTILE)
def test_a_header_that_lies_is_refused_with_its_place(idea: str) -> None:
    data, offset, said = HOSTILE[idea]
    with pytest.raises(StreamError, match=said) as refused:
        read(data)
    assert refused.value.offset == offset


@pytest.mark.parametrize("idea", HOSTILE)
def test_the_same_behind_another_tensor(idea: str) -> None:
    data, offset, _ = HOSTILE[idea]
    with pytest.raises(StreamError) as refused:
        read(WHOLE + data, len(WHOLE))
    assert refused.value.offset == len(WHOLE) + offset


FOREIGN = {
    "a web page": b"<!DOCTYPE html><html><body>404",
    "a git-LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n",
    "a zip archive": b"PK\x03\x04" + bytes(60),
    "filled with zeros": bytes(4096),
}


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("name", ["model.pdiparams", "params"])
def test_another_kind_of_file_under_the_name_is_told(kind: str, name: str, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=f"E304.*{name}.* is {kind}"):
        open_stream(tmp_path, FOREIGN[kind], name)


def test_an_empty_file(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"E303.*params: the file is empty"):
        open_stream(tmp_path, b"", "params")


@given(st.binary(max_size=80))
def test_any_bytes_behind_two_versions_are_read_or_refused(data: bytes) -> None:
    try:
        found = read(bytes(16) + data)
    except StreamError as error:
        assert 0 <= error.offset <= 16 + len(data)
        return
    assert found.end <= 16 + len(data)


@given(st.lists(st.integers(0, 6), max_size=4), st.sampled_from(["f2", "f4", "f8", "i8"]))
def test_what_is_written_is_read(shape: list[int], kind: str) -> None:
    array = numbered(*shape, dtype=kind)
    found = read(stream(array))
    assert found.shape == tuple(shape) and found.dtype == array.dtype.name and found.size == array.nbytes


def test_numbers_are_in_the_wire_format_of_protobuf() -> None:
    assert (varint(5), varint(1000), varint(-1)) == (b"\x05", b"\xe8\x07", b"\xff" * 9 + b"\x01")
