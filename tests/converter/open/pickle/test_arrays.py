"""Arrays in pickles: every form that a writer uses, and each way in which one can lie."""

from __future__ import annotations

import collections
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converter.common.errors import FileError
from tests.support.pickles import (
    DTYPE_STATE,
    EMPTY_ARRAY,
    PROTOCOLS,
    array,
    dtype,
    file_of,
    glob,
    number,
    numbered,
    one_tensor,
    open_bytes,
    open_pickled,
    raw,
    same,
    state_dict,
    string,
    text,
    values,
)

SHAPES = [(), (1,), (5,), (3, 5), (4, 4), (2, 3, 4), (0,), (0, 7), (1, 1)]
DTYPES = {"f8": "float64", "f4": "float32", "f2": "float16", "u2": "bfloat16", "i8": "int64", "i4": "int32"}
DTYPES.update({"i2": "int16", "i1": "int8", "u1": "uint8", "b1": "bool"})


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", [dict, collections.OrderedDict])
def test_a_state_dict_of_every_protocol(kind: Any, protocol: int, tmp_path: Path) -> None:
    state = state_dict()
    opened = open_pickled(tmp_path, kind(state), protocol)
    state.pop("StructuredToParameterName@@")
    assert same(opened, state) and list(opened.tensors) == list(state)
    assert opened.warnings == () and opened.writer == f"pickle protocol {protocol}"


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_shape(shape: tuple[int, ...], protocol: int, tmp_path: Path) -> None:
    expected = {"w": numbered(*shape), "all bytes": np.arange(256, dtype="u1")}
    assert same(open_pickled(tmp_path, expected, protocol), expected)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("code", DTYPES)
def test_every_dtype(code: str, protocol: int, tmp_path: Path) -> None:
    expected = {"w": np.frombuffer(bytes(range(128, 192)), code)}
    opened = open_pickled(tmp_path, expected, protocol)
    assert same(opened, expected) and opened.tensors["w"].dtype == DTYPES[code]


def test_uint16_is_bfloat16(tmp_path: Path) -> None:
    opened = open_pickled(tmp_path, {"w": np.array([0x3F80, 0xC040], "u2")})
    assert values(opened.tensors["w"]).tolist() == [1.0, -3.0]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("shape", [(3, 5), (4, 4), (2, 3, 4), (5, 1), (6,), ()], ids=str)
def test_column_order_is_read_in_its_own_order(shape: tuple[int, ...], protocol: int, tmp_path: Path) -> None:
    turned, plain = np.array(numbered(*shape), order="F"), numbered(*shape)
    opened = open_pickled(tmp_path, {"turned": turned, "also": turned.copy("F"), "plain": plain}, protocol)
    assert all(np.array_equal(opened.tensors[name].read(), plain) for name in ("turned", "also", "plain"))
    assert opened.tensors["turned"].fortran == (sum(size > 1 for size in shape) > 1)
    assert opened.warnings == ()


@pytest.mark.parametrize("shape", [b"K\x01\x85", b"K\x01K\x01\x86", b")"])
def test_the_flag_says_nothing_where_the_two_orders_are_one(shape: bytes, tmp_path: Path) -> None:
    opened = open_bytes(tmp_path, one_tensor(array(shape, ABCD, fortran=b"\x88")))
    assert not opened.tensors["w"].fortran


def test_one_matrix_in_column_order_among_others_is_read_with_a_warning(tmp_path: Path) -> None:
    """One flipped bit makes this file of a sound one, and nothing else in it could tell."""
    opened = open_pickled(tmp_path, {"a": numbered(4, 4), "b": numbered(4, 4).T, "c": numbered(4)})
    assert np.array_equal(opened.tensors["b"].read(), numbered(4, 4).T)
    assert ["b alone is stored in column order" in warning for warning in opened.warnings] == [True]


def test_strings_of_python_2(tmp_path: Path) -> None:
    """Keys, dtype and data are one kind of string, flags are numbers."""
    state = b"(K\x03" + string(b"<") + b"NNN" + number(-1) + number(-1) + number(0) + b"t"
    kind = glob("numpy", "dtype") + string(b"f4") + b"K\x00K\x01\x87R" + state + b"b"
    empty = (
        glob("numpy.core.multiarray", "_reconstruct")
        + glob("numpy", "ndarray")
        + b"K\x00\x85"
        + string(b"b")
        + b"\x87R"
    )
    data = struct.pack("<3f", 1, 2, -0.1)
    made = empty + b"(K\x01K\x03\x85" + kind + b"\x89" + string(data) + b"tb"
    opened = open_bytes(tmp_path, file_of(b"}" + string(b"caf\xe9") + made + b"s", 2))
    assert same(opened, {"caf\xe9": np.frombuffer(data, "f4")})


def test_an_ordered_dict_of_python_2(tmp_path: Path) -> None:
    pairs = b"](" + b"](" + string(b"w") + array(b"K\x01\x85", string(b"abcd")).replace(b"C\x01b", string(b"b")) + b"ee"
    opened = open_bytes(tmp_path, file_of(glob("collections", "OrderedDict") + pairs + b"\x85R", 2))
    assert same(opened, {"w": np.frombuffer(b"abcd", "f4")})


def test_tied_tensors_are_two_names_of_the_same_bytes(tmp_path: Path) -> None:
    tied = numbered(3, 3)
    assert same(open_pickled(tmp_path, {"a": tied, "b": tied}), {"a": tied, "b": tied})


ABCD = raw(b"abcd")
ONE = b"K\x01\x85"
LIES = {
    "a shape for more bytes": (array(b"K\x02\x85", ABCD), r"shape \[2\] and dtype f4 takes 8 bytes, and 4 are there"),
    "a shape for fewer bytes": (array(b"K\x00\x85", ABCD), "takes 0 bytes, and 4 are there"),
    "a shape of 2**62": (array(b"\x8a\x08" + struct.pack("<q", 1 << 62) + b"\x85", ABCD), "no tuple of sizes"),
    "a shape that overflows to 4 bytes": (
        array(3 * (b"\x8a\x06" + bytes(5) + b"\x01") + b"\x87", ABCD),
        "no tuple of sizes",
    ),
    "no elements in a space too large for numpy": (
        array(2 * (b"\x8a\x06" + bytes(5) + b"\x01") + b"K\x00\x87", raw(b"")),
        "no tuple of sizes",
    ),
    "a negative shape": (array(number(-1) + b"\x85", ABCD), "no tuple of sizes"),
    "a shape of True": (array(b"\x88\x85", ABCD), "no tuple of sizes"),
    "a shape of 1.0": (array(b"G" + struct.pack(">d", 1.0) + b"\x85", ABCD), "no tuple of sizes"),
    "a shape that is a list": (array(b"]", ABCD), "no tuple of sizes"),
    "33 dimensions": (array(b"(" + b"K\x01" * 33 + b"t", ABCD), "no tuple of sizes"),
    "data that are text": (array(ONE, text("abcd")), "data are not bytes"),
    "data that are a list": (array(ONE, b"]"), "data are not bytes"),
    "data that are a number": (array(ONE, b"K\x01"), "data are not bytes"),
    "a flag of 2": (array(ONE, ABCD, fortran=b"K\x02"), "not of the form that numpy writes"),
    "objects": (array(ONE, ABCD, dtype("O8")), "dtype 'O8'"),
    "dates": (array(ONE, ABCD, dtype("M8")), "dtype 'M8'"),
    "strings": (array(ONE, ABCD, dtype("S4")), "dtype 'S4'"),
    "records": (array(ONE, ABCD, dtype("V4")), "dtype 'V4'"),
    "complex numbers": (array(ONE, ABCD, dtype("c8")), "dtype 'c8'"),
    "uint32": (array(ONE, ABCD, dtype("u4")), "dtype 'u4'"),
    "big-endian": (array(ONE, ABCD, dtype("f4", DTYPE_STATE.replace(b"<", b">"))), "big-endian, expected '<'"),
    "no byte order": (array(ONE, ABCD, dtype("f4", DTYPE_STATE.replace(b"<", b"|"))), "byte order '|', expected '<'"),
    "byte order of a byte": (array(ONE, ABCD, dtype("i1")), "byte order '<', expected '|'"),
    "a dtype with fields": (array(ONE, ABCD, dtype("f4", DTYPE_STATE.replace(b"NNN", b"NN)"))), "a dtype with fields"),
    "a dtype with a size": (
        array(ONE, ABCD, dtype("f4", DTYPE_STATE.replace(number(-1) * 2, number(8) + number(-1)))),
        "a dtype with fields",
    ),
    "a dtype with the flags of objects": (array(ONE, ABCD, dtype("f4", DTYPE_STATE[:-6] + number(63) + b"t")), "flags"),
    "a dtype of metadata": (array(ONE, ABCD, dtype("f4", DTYPE_STATE[:-1] + b"}t")), "the state of a dtype"),
    "a dtype without its order": (
        array(ONE, ABCD, glob("numpy", "dtype") + text("f4") + b"\x89\x88\x87R"),
        "without a dtype",
    ),
    "a dtype twice": (array(ONE, ABCD, dtype() + DTYPE_STATE + b"b"), "the state of a dtype"),
    "an aligned dtype": (array(ONE, ABCD, glob("numpy", "dtype") + text("f4") + b"\x88\x88\x87R"), "calls numpy.dtype"),
    "a dtype that is text": (array(ONE, ABCD, text("f4")), "without a dtype"),
    "a state twice": (array(ONE, ABCD) + b"(K\x01" + ONE + dtype() + b"\x89" + ABCD + b"tb", "the state of an array"),
    "a state of version 2": (EMPTY_ARRAY + b"(K\x02" + ONE + dtype() + b"\x89" + ABCD + b"tb", "the state of an array"),
    "a reconstruction of another class": (
        EMPTY_ARRAY.replace(b"cnumpy\nndarray", b"cnumpy\ndtype"),
        "calls numpy.core.multiarray._reconstruct",
    ),
    "a reconstruction of a shape": (EMPTY_ARRAY.replace(b"K\x00\x85", b"K\x09\x85"), "_reconstruct with arguments"),
    "ndarray called": (glob("numpy", "ndarray") + b"J\xff\xff\xff\x7f\x85R", "calls numpy.ndarray with arguments"),
    "bytes of a size": (
        glob("__builtin__", "bytes") + b"J\xff\xff\xff\x7f\x85R",
        "calls builtins.bytes with arguments",
    ),
    "a tuple of something": (glob("builtins", "tuple") + b"]\x85R", "calls builtins.tuple with arguments"),
    "another coding": (glob("_codecs", "encode") + text("a") + text("zlib") + b"\x86R", "calls _codecs.encode"),
    "text beyond latin1": (
        glob("_codecs", "encode") + text("\u0142") + text("latin1") + b"\x86R",
        "calls _codecs.encode",
    ),
    "a scalar of more bytes": (
        glob("numpy.core.multiarray", "scalar") + dtype() + raw(b"abcdefgh") + b"\x86R",
        "calls numpy.core.multiarray.scalar",
    ),
    "a buffer in another order": (
        glob("numpy.core.numeric", "_frombuffer") + b"(" + ABCD + dtype() + ONE + text("K") + b"tR",
        "calls numpy.core.numeric._frombuffer",
    ),
    "a buffer for another shape": (
        glob("numpy.core.numeric", "_frombuffer") + b"(" + ABCD + dtype() + b"K\x02\x85" + text("C") + b"tR",
        "takes 8 bytes, and 4 are there",
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_lies_is_refused(lie: str, tmp_path: Path) -> None:
    value, said = LIES[lie]
    with pytest.raises(FileError, match=rf"E305.*model_state.pdparams \(byte \d+\).*{said}"):
        open_bytes(tmp_path, one_tensor(value))


def test_the_sound_form_of_the_lies_opens(tmp_path: Path) -> None:
    assert same(open_bytes(tmp_path, one_tensor(array(ONE, ABCD))), {"w": np.frombuffer(b"abcd", "f4")})


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_arrays_of_objects_dates_and_big_endian_numbers_by_numpy(protocol: int, tmp_path: Path) -> None:
    for odd in (np.array([None]), np.array(["2021-01-01"], "M8[s]"), np.array([1], ">f4"), np.array([1j])):
        with pytest.raises(FileError, match="E305|E302"):
            open_bytes(tmp_path, pickle.dumps({"w": odd}, protocol))
