"""The opcodes are those that Python's own disassembler sees, one for one, in every real and in any made pickle."""

from __future__ import annotations

import pickle
import pickletools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converter.open.pickle.machine import _ACTIONS, PickleMachine
from converter.open.pickle.opcodes import ACCEPTED, REFUSED
from converter.open.pickle.reader import read_argument, read_opcodes
from converter.open.pickle.values import Extent, PickleDict, PickleList
from tests.support.pickles import PROTOCOLS, mapped, state_dict


def as_pickletools_has_it(data: bytes, name: str, argument: Any) -> Any:
    if name == "GLOBAL":
        return " ".join(argument)
    if not isinstance(argument, tuple):
        return argument
    start, size = argument
    found = data[start : start + size]
    if "UNICODE" in name:
        return found.decode()
    if "STRING" in name:
        return found.decode("latin1")
    if name == "LONG1":
        return int.from_bytes(found, "little", signed=True)
    return bytearray(found) if name == "BYTEARRAY8" else found


def assert_agrees(data: bytes) -> None:
    ours = [(at, op.name, as_pickletools_has_it(data, op.name, arg)) for at, op, arg in read_opcodes(mapped(data))]
    theirs = [(at, op.name, arg) for op, arg, at in pickletools.genops(data)]
    assert ours == theirs


def test_every_real_pickle(shared_data: Path) -> None:
    files = sorted((shared_data / "checkpoints").glob("**/*.pdparams"))
    pickles = [data for data in (path.read_bytes() for path in files) if data[:1] == b"\x80"]
    assert len(pickles) >= 40
    for data in pickles:
        assert_agrees(data)


LEAVES = (
    st.none() | st.booleans() | st.integers(-(1 << 70), 1 << 70) | st.floats(allow_nan=False) | st.text(max_size=300)
)
VALUES = st.recursive(
    LEAVES | st.binary(max_size=300),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=9), inner, max_size=4) | st.tuples(inner)
    ),
    max_leaves=20,
)


@settings(max_examples=150)
@given(value=VALUES, protocol=st.sampled_from(PROTOCOLS))
def test_any_pickle_of_plain_values(value: Any, protocol: int) -> None:
    assert_agrees(pickle.dumps(value, protocol))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_large_arrays_lie_outside_the_frames(protocol: int) -> None:
    assert_agrees(pickle.dumps({**state_dict(), "large": np.zeros(100_000, "f4")}, protocol))


def test_an_opcode_is_accepted_where_the_machine_has_an_action_for_it_and_refused_else() -> None:
    assert set(ACCEPTED) | set(REFUSED) == {ord(op.code) for op in pickletools.opcodes}
    assert not set(ACCEPTED) & set(REFUSED) and {op.name for op in ACCEPTED.values()} == set(_ACTIONS)
    assert {"INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "EXT1", "PERSID"} < {op.name for op in REFUSED.values()}


@pytest.mark.parametrize("byte", sorted({**ACCEPTED, **REFUSED}))
def test_the_argument_of_every_opcode_is_as_long_as_pickletools_has_it(byte: int) -> None:
    opcode = {**ACCEPTED, **REFUSED}[byte]
    arguments = {"lines 1": b"12\n", "lines 2": b"ab\ncd\n", "sized 1": b"\x02ab", "sized 4": b"\x02\0\0\0ab"}
    arguments["sized 8"] = b"\x02" + bytes(7) + b"ab"
    width = int(opcode.argument.split()[1]) if opcode.argument else 0
    body = arguments.get(opcode.argument, b"\x01" * width)
    if opcode.name == "STRING":
        body = b"'a'\n"
    data = bytes([byte]) + body + b"."
    argument, after = read_argument(mapped(data), 0, opcode)
    if byte in ACCEPTED:
        assert as_pickletools_has_it(data, opcode.name, argument) == next(pickletools.genops(data))[1]
    following = [at for _, _, at in pickletools.genops(data)][1:2] or [1]
    assert after == following[0]


def to_python(value: object) -> Any:
    """What Python's unpickler makes of it, where it is plain."""
    if isinstance(value, Extent):
        if value.kind in ("text", "string"):
            return value.raw().decode("utf-8" if value.kind == "text" else "latin1")
        return bytearray(value.raw()) if value.kind == "bytearray" else value.raw()
    if isinstance(value, PickleList):
        return [to_python(item) for item in value.items]
    if isinstance(value, PickleDict):
        return {key: to_python(item) for key, item in value.items.items()}
    return tuple(map(to_python, value)) if isinstance(value, tuple) else value


def assert_means_the_same(data: bytes) -> None:
    ours, theirs = to_python(PickleMachine(mapped(data)).run()), pickle.loads(data, encoding="latin1")
    assert (repr(ours), type(ours)) == (repr(theirs), type(theirs))  # Of 1, 1.0 and True, too.


@settings(max_examples=300)
@given(value=VALUES, protocol=st.sampled_from(PROTOCOLS))
def test_a_pickle_of_plain_values_means_what_it_means_to_python(value: Any, protocol: int) -> None:
    if protocol > 2 or b"_codecs" not in pickle.dumps(value, protocol):  # Bytes of protocol 2 are an array's.
        assert_means_the_same(pickle.dumps(value, protocol))


def head(protocol: int) -> bytes:
    return bytes([0x80, protocol])


#: A file for the opcodes that Python's pickler has no use for, or only where much is to be written.
BY_HAND = {
    "NONE": head(2) + b"N.",
    "NEWTRUE": head(2) + b"\x88.",
    "NEWFALSE": head(2) + b"\x89.",
    "BININT": head(2) + b"J\xfe\xff\xff\xff.",
    "BININT1": head(2) + b"K\xff.",
    "BININT2": head(2) + b"M\x01\xff.",
    "BINFLOAT": head(2) + b"G\xbf\xf8" + bytes(6) + b".",
    "LONG1": head(2) + b"\x8a\x05\x01\x02\x03\x04\x85.",
    "LONG1 of nothing": head(2) + b"\x8a\x00.",
    "BINUNICODE": head(2) + b"X\x02\0\0\0\xc3\xa4.",
    "SHORT_BINUNICODE": head(4) + b"\x8c\x02\xc3\xa4.",
    "BINUNICODE8": head(4) + b"\x8d\x02" + bytes(7) + b"\xc3\xa4.",
    "BINSTRING": head(2) + b"T\x02\0\0\0\xe4a.",
    "SHORT_BINSTRING": head(2) + b"U\x02\xe4a.",
    "BINBYTES": head(3) + b"B\x02\0\0\0\xe4a.",
    "SHORT_BINBYTES": head(3) + b"C\x02\xe4a.",
    "BINBYTES8": head(4) + b"\x8e\x02" + bytes(7) + b"\xe4a.",
    "BYTEARRAY8": head(5) + b"\x96\x02" + bytes(7) + b"\xe4a.",
    "EMPTY_TUPLE": head(2) + b").",
    "TUPLE1": head(2) + b"K\x01\x85.",
    "TUPLE2": head(2) + b"K\x01K\x02\x86.",
    "TUPLE3": head(2) + b"K\x01K\x02K\x03\x87.",
    "MARK and TUPLE": head(2) + b"(K\x01(K\x02tK\x03t.",
    "EMPTY_LIST, APPEND and APPENDS": head(2) + b"]K\x01a(K\x02K\x03e(e.",
    "EMPTY_DICT, SETITEM and SETITEMS": head(2) + b"}U\x01aK\x01s(U\x01bK\x02K\x07K\x03u(u.",
    "BINPUT and BINGET": head(2) + b"K\x01q\x00K\x02q\x01h\x00h\x01\x86\x87.",
    "LONG_BINPUT and LONG_BINGET": head(2) + b"K\x01r\x01\0\0\0j\x01\0\0\0\x86.",
    "MEMOIZE": head(4) + b"K\x01\x94K\x02\x94h\x00h\x01\x86\x87.",
    "FRAME": head(4) + b"\x95\x02" + bytes(7) + b"N.",
}
#: What calls, builds or looks up becomes a fact: test_pickle_arrays compares those with numpy's arrays.
OF_ARRAYS = {"GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD"}


@pytest.mark.parametrize("name", BY_HAND)
def test_every_opcode_means_what_it_means_to_python(name: str) -> None:
    assert_agrees(BY_HAND[name])
    assert_means_the_same(BY_HAND[name])


def test_no_accepted_opcode_is_without_a_row() -> None:
    seen = {opcode.name for data in BY_HAND.values() for opcode, _, _ in pickletools.genops(data)}
    assert seen | OF_ARRAYS == {opcode.name for opcode in ACCEPTED.values()}
