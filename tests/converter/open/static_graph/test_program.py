"""Program files: the parameters' names, dtypes and shapes are read, whatever else is there; wrong ones are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converter.common.errors import FileError
from converter.open.static_graph.program import Program, Variable, read_program
from tests.support.pickles import numbered
from tests.support.streams import desc, message, number, parameter, pir, pir_of, program_desc, variable, varint

STATE = {"b": numbered(3), "a": numbered(2, 3), "c": numbered(4, dtype="i8")}
VARIABLES = {"a": Variable("float32", (2, 3)), "b": Variable("float32", (3,)), "c": Variable("int64", (4,))}


def read(folder: Path, data: bytes, name: str) -> Program:
    (folder / name).write_bytes(data)
    return read_program(folder / name)


def test_both_kinds_say_the_same(tmp_path: Path) -> None:
    assert read(tmp_path, program_desc(STATE), "x.pdmodel").variables == VARIABLES
    assert read(tmp_path, pir(STATE), "x.json").variables == VARIABLES


def test_only_persistable_tensors_of_the_first_block_count(tmp_path: Path) -> None:
    block = variable(b"a", desc(5, (2,))) + variable(b"x", desc(5, (2,)), persistable=0)
    block += variable(b"feed", b"", kind=9) + variable(b"fetch", b"", kind=10) + message(4, b"an operator")
    data = message(1, block) + message(1, variable(b"inner", desc(5, (2,))))
    assert set(read(tmp_path, data, "__model__").variables) == {"a"}


@pytest.mark.parametrize("version", [1, 4, 5])
def test_the_writer_is_told(version: int, tmp_path: Path) -> None:
    data = pir_of([parameter("a", "f32", [2])], base_code={"magic": "pir", "version": version})
    assert read(tmp_path, data, "x.json").writer == f"PIR program, version {version}"


def block(*variables: bytes) -> bytes:
    return message(1, b"".join(variables))


DESCS = {
    "nothing in it": (b"\x08\x01", "it has no block"),
    "a block that is a number": (number(1, 3), "it has no block"),
    "no parameters": (block(), "it has no parameters"),
    "a parameter named twice": (
        block(*[variable(b"a", desc(5, (2,)))] * 2, variable(b"b", desc(5, (2,)))),
        "names parameters twice: 'a'",
    ),
    "no name": (block(message(3, message(2, number(1, 7)) + number(3, 1))), "has no name or type"),
    "an empty name": (block(variable(b"", desc(5, (2,)))), "a variable is named ''"),
    "a name that moves the cursor": (block(variable(b"a\x1b[2J", desc(5, (2,)))), r"named 'a\\x1b\[2J'"),
    "a name that is not UTF-8": (block(variable(b"\xff", desc(5, (2,)))), "is not UTF-8"),
    "a name of a thousand letters": (block(variable(b"a" * 1000, desc(5, (2,)))), "expected a printable name"),
    "a negative dimension": (block(variable(b"a", desc(5, (-1,)))), r"'a': dimensions \[-1\]"),
    "dimensions that overflow": (block(variable(b"a", desc(5, (1 << 40, 1 << 40)))), "which no tensor has"),
    "a data type of nobody": (block(variable(b"a", desc(99, (2,)))), "'a': data type 99"),
    "no shape": (block(message(3, message(1, b"a") + message(2, number(1, 7)) + number(3, 1))), "'a' has no shape"),
    "an empty shape message": (
        block(message(3, message(1, b"a") + message(2, number(1, 7) + message(3, b"")) + number(3, 1))),
        "'a' has no shape",
    ),
    "a type that is a number": (block(message(3, message(1, b"a") + number(2, 7) + number(3, 1))), "is a number"),
    "a variable that is a number": (message(1, number(3, 1)), "is a number"),
    "a length beyond the end": (varint(10) + varint(1 << 40), "a field of 1099511627776 bytes where 0 are left"),
    "a number without an end": (b"\xff" * 20, "more than 10 bytes"),
    "more parameters than any model": (
        block(*[variable(f"{n}".encode(), desc(5, (2,))) for n in range(20_001)]),
        "more than 20000 parameters",
    ),
    "more fields than any program": (number(9, 1) * 2_000_001, "more than 2000000 fields"),
    "more fields in one variable": (block(message(3, number(9, 1) * 2_000_001)), "more than 2000000 fields"),
}


@pytest.mark.parametrize("idea", DESCS)
def test_a_program_desc_that_lies(idea: str, tmp_path: Path) -> None:
    data, said = DESCS[idea]
    with pytest.raises(FileError, match=rf"E321.*x\.pdmodel.*{said}"):
        read(tmp_path, data, "x.pdmodel")


def changed(*steps: Any, value: Any = None) -> bytes:
    """A PIR program with one value replaced, or removed."""
    data = json.loads(pir({"a": numbered(2)}))
    inner = data
    for step in steps[:-1]:
        inner = inner[step]
    if value is None:
        del inner[steps[-1]]
    else:
        inner[steps[-1]] = value
    return json.dumps(data).encode()


OPS = ("program", "regions", 0, "blocks", 0, "ops")
KIND = (*OPS, 0, "O", "TT")
PIRS = {
    "another magic": (changed("base_code", "magic", value="onnx"), "base_code is not 'pir'"),
    "no magic": (changed("base_code"), "base_code is not 'pir'"),
    "no program": (changed("program"), "it has no 'program'"),
    "no regions": (changed("program", "regions", value=[]), "it has no 0"),
    "operators that are no list": (changed(*OPS, value={}), "its operators are no list"),
    "an operator that is no object": (changed(*OPS, value=[3]), "operator 0 is no object"),
    "no parameters": (changed(*OPS, value=[{"#": "1.full"}]), "it has no parameters"),
    "a parameter named twice": (pir_of([parameter("a", dims=[2])] * 2), "names parameters twice: 'a'"),
    "no name": (changed(*OPS, 0, "A", value=[1]), "parameter 0 has no name"),
    "a name that is a number": (pir_of([parameter(3, dims=[2])]), "a variable is named 3"),
    "a name that moves the cursor": (pir_of([parameter("a\x1b[2J", dims=[2])]), r"a\\x1b\[2J"),
    "no type": (changed(*OPS, 0, "O"), "'a' has no dtype and shape"),
    "a type that is no tensor": (changed(*KIND, "#", value="0.t_vec"), "has a type that is not supported"),
    "a dtype of nobody": (pir_of([parameter("a", "f8e4m3", [2])]), "has a type that is not supported"),
    "a negative size": (pir_of([parameter("a", dims=[-1])]), "the shape is no list of sizes"),
    "a size that is a text": (pir_of([parameter("a", dims=["2"])]), "the shape is no list of sizes"),
    "a size that is true": (pir_of([parameter("a", dims=[True])]), "the shape is no list of sizes"),
    "a size beyond all": (pir_of([parameter("a", dims=[1 << 60, 1 << 60])]), "the shape is no list of sizes"),
    "a shape that is a number": (pir_of([parameter("a", dims=3)]), "the shape is no list of sizes"),
    "more parameters than any model": (
        pir_of([{"#": "p", "A": [0, 0, 0, f"{n}"], "O": parameter("a", dims=[2])["O"]} for n in range(20_001)]),
        "more than 20000 parameters",
    ),
}


@pytest.mark.parametrize("idea", PIRS)
def test_a_pir_program_that_lies(idea: str, tmp_path: Path) -> None:
    data, said = PIRS[idea]
    with pytest.raises(FileError, match=rf"E321.*x\.json.*{said}"):
        read(tmp_path, data, "x.json")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"base_code": ' + b"[" * 100_000, "E307.*nested too deeply|E307.*not JSON"),
        (b'{"base_code": 1, "base_code": 2}', "E307.*twice"),
        (b'{"base_code": NaN}', "E307.*NaN"),
        (b'{"base_code": ' + b"9" * 5000 + b"}", "E307.*5000 digits"),
        (pir({"a": numbered(2)})[:-5], "E307.*not JSON"),
        (b'{"base_code": "' + b"x" * (9 << 20) + b'"}', "E303.*larger than 8 MiB"),
    ],
)
def test_json_bombs_and_cut_json(data: bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=said):
        read(tmp_path, data, "x.json")


@pytest.mark.parametrize("data", [b"<html><body>404", b"version https://git-lfs.github.com/spec/v1\n", b"\x80\x02}."])
def test_another_kind_of_file_under_the_name(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"E304.*__model__ is a"):
        read(tmp_path, data, "__model__")


@settings(max_examples=300)
@given(data=st.data())
def test_any_bytes_in_it_are_read_or_refused(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    name = data.draw(st.sampled_from(["x.pdmodel", "x.json"]))
    whole = program_desc(STATE) if name == "x.pdmodel" else pir(STATE)
    at, length = data.draw(st.integers(0, len(whole))), data.draw(st.integers(0, 20))
    broken = whole[:at] + data.draw(st.binary(max_size=20)) + whole[at + length :]
    try:
        read(tmp_path_factory.getbasetemp(), broken, name)
    except FileError as error:
        assert error.problems and "\n" not in str(error)
