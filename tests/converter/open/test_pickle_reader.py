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

from converter.open.pickle_machine import _ACTIONS
from converter.open.pickle_opcodes import ACCEPTED, REFUSED
from converter.open.pickle_reader import read_argument, read_opcodes
from tests.converter.open.pickles import PROTOCOLS, mapped, state_dict


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


@settings(max_examples=150, deadline=None)
@given(value=VALUES, protocol=st.sampled_from(PROTOCOLS))
def test_any_pickle_of_plain_values(value: Any, protocol: int) -> None:
    assert_agrees(pickle.dumps(value, protocol))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_large_arrays_lie_outside_the_frames(protocol: int) -> None:
    assert_agrees(pickle.dumps({**state_dict(), "large": np.zeros(100_000, "f4")}, protocol))


def test_the_table_is_that_of_pickletools() -> None:
    theirs = {ord(op.code): (op.name, op.proto) for op in pickletools.opcodes}
    ours = {byte: (op.name, op.protocol) for byte, op in {**ACCEPTED, **REFUSED}.items()}
    assert ours == theirs
    assert not set(ACCEPTED) & set(REFUSED) and {op.name for op in ACCEPTED.values()} == set(_ACTIONS)


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
    _, after = read_argument(mapped(data), 0, opcode)
    following = [at for _, _, at in pickletools.genops(data)][1:2] or [1]
    assert after == following[0]
