"""safetensors files of PaddleNLP and Paddle: what opens, what opens with a warning, what is refused."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save

from converter.common.errors import FileError
from tests.support.pickles import numbered, open_bytes, same, values

NAME = "model.safetensors"


def entry(start: int, end: int, shape: Any = (2,), dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end]}


def file_of(header: Any, size: int = 16, metadata: Any = None) -> bytes:
    """A file with any header at all, well-formed or not."""
    if isinstance(header, dict):
        header = {"__metadata__": metadata or {"format": "np"}, **header}
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(range(size))


def test_tensors_as_they_lie(tmp_path: Path) -> None:
    expected = {
        "w": numbered(3, 4),
        "b": numbered(4, dtype="f2"),
        "n": numbered(dtype="f8"),
        "i": numbered(2, dtype="i8"),
    }
    expected["none"] = np.zeros((0, 3), "f4")
    opened = open_bytes(tmp_path, save(expected, {"format": "np"}), NAME)
    assert same(opened, expected) and opened.warnings == () and opened.format == "safetensors"


@pytest.mark.parametrize("stored", ["U16", "BF16"])
def test_bfloat16_by_either_name(stored: str, tmp_path: Path) -> None:
    data = struct.pack("<2H", 0x3F80, 0xC040)
    opened = open_bytes(tmp_path, file_of({"w": entry(0, 4, dtype=stored)}, 0) + data, NAME)
    assert opened.tensors["w"].dtype == "bfloat16" and values(opened.tensors["w"]).tolist() == [1.0, -3.0]


@pytest.mark.parametrize("metadata", [None, {}, {"format": "pd"}, {"made": "by hand"}])
def test_an_odd_or_missing_format_is_taken_as_paddles_with_a_warning(metadata: Any, tmp_path: Path) -> None:
    opened = open_bytes(tmp_path, save({"w": numbered(2)}, metadata), NAME)
    assert same(opened, {"w": numbered(2)}) and len(opened.warnings) == 1
    assert "taken as Paddle's" in opened.warnings[0]


@pytest.mark.parametrize("written", ["pt", "tf", "flax", "mlx"])
def test_the_layout_of_another_framework(written: str, tmp_path: Path) -> None:
    """PyTorch's weights are the transposes, and square ones would pass every check of shapes."""
    with pytest.raises(FileError, match=f"E304.*another framework .format '{written}'"):
        open_bytes(tmp_path, save({"w": numbered(2)}, {"format": written}), NAME)


TWO = {"a": entry(0, 8), "b": entry(8, 16)}
WRONG = {
    "a hole": (file_of({"a": entry(0, 8), "b": entry(12, 20)}, 20), "leaves a hole after a"),
    "an overlap": (file_of({"a": entry(0, 8), "b": entry(4, 12)}), "overlaps a"),
    "the same bytes twice": (file_of({"a": entry(0, 8), "b": entry(0, 8)}, 8), "overlaps a"),
    "a hole at the start": (file_of({"a": entry(8, 16)}), "leaves a hole after the header"),
    "bytes behind the last": (file_of(TWO, 20), "take 16 bytes, and 20 are there. What follows"),
    "bytes missing": (file_of(TWO, 12), "take 16 bytes, and 12 are there. Is the file complete"),
    "a shape for more": (file_of({"a": entry(0, 16, (5,))}), "takes 20 bytes, data_offsets have 16"),
    "a shape of 2**40 squared": (
        file_of({"a": entry(0, 16, (1 << 40, 1 << 40))}),
        "shape is no list",
    ),
    "a negative size": (file_of({"a": entry(0, 16, (-4,))}), "shape is no list"),
    "a size of true": (file_of({"a": entry(0, 4, (True,))}, 4), "shape is no list"),
    "a size of 1.0": (file_of({"a": entry(0, 4, (1.0,))}, 4), "shape is no list"),
    "offsets the wrong way": (file_of({"a": entry(16, 0, (4,))}), "data_offsets have -16"),
    "three offsets": (file_of({"a": {**entry(0, 16), "data_offsets": [0, 8, 16]}}), "no two positions"),
    "offsets of false": (file_of({"a": {**entry(0, 16, (4,)), "data_offsets": [False, 16]}}), "no two positions"),
    "a dtype of complex numbers": (file_of({"a": entry(0, 16, (2,), "C64")}), "dtype 'C64'"),
    "a dtype of eight bits": (file_of({"a": entry(0, 16, (16,), "F8_E4M3")}), "dtype 'F8_E4M3'"),
    "a dtype that is a number": (file_of({"a": {**entry(0, 16), "dtype": 5}}), "dtype '5'"),
    "a key more": (file_of({"a": {**entry(0, 16), "strides": [1]}}), "expected dtype, shape and data_offsets"),
    "a key less": (file_of({"a": {"dtype": "F32", "shape": [4]}}), "expected dtype, shape and data_offsets"),
    "a name that does not print": (file_of({"a\n": entry(0, 16, (4,))}), "expected a printable name"),
    "no tensors": (file_of({}, 0), "holds no tensors"),
    "a name twice": (file_of(b'{"a":1,"a":2}'), "the key 'a' is there twice"),
    "a header that is a list": (file_of(b"[]      "), "no JSON object"),
    "a header that is cut": (file_of(b'{"a":'), "not JSON"),
    "a header that is not UTF-8": (file_of(b'{"\xff":1}'), "not UTF-8"),
    "a header of 2**63": (struct.pack("<Q", 1 << 63) + b"{}", "a header of 9223372036854775808 bytes"),
    "a header beyond the file": (struct.pack("<Q", 9) + b"{}", "a header of 9 bytes is announced and 2 are left"),
    "a header of 9 MiB": (file_of(b"{}" + b" " * (9 << 20)), "which no checkpoint has"),
    "a header of brackets": (file_of(b'{"a":' + b"[" * 200_000), "nested too deeply"),
    "seven bytes": (b"1234567", "is announced and 0 are left"),
    "metadata of numbers": (file_of({"a": entry(0, 16, (4,))}, metadata={"format": 1}), "not a table of strings"),
    "a git-LFS pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "a git-LFS pointer"),
    "a web page": (b"<html><body>404", "a web page"),
}


@pytest.mark.parametrize("idea", WRONG)
def test_what_lies_is_refused(idea: str, tmp_path: Path) -> None:
    data, said = WRONG[idea]
    with pytest.raises(FileError, match=f"E30[478].*{NAME}.*{said}"):
        open_bytes(tmp_path, data, NAME)


def test_the_sound_form_of_the_lies_opens_here_and_in_the_library(tmp_path: Path) -> None:
    assert set(open_bytes(tmp_path, file_of(TWO), NAME).tensors) == {"a", "b"}
    with safe_open(str(tmp_path / NAME), framework="np") as file:
        assert set(file.keys()) == {"a", "b"}


def test_what_the_library_refuses_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import safetensors

    def refuse(*_: object, **__: object) -> None:
        raise safetensors.SafetensorError("something new")

    monkeypatch.setattr(safetensors, "safe_open", refuse)
    with pytest.raises(FileError, match="E308.*the safetensors library refuses it: 'something new'"):
        open_bytes(tmp_path, file_of(TWO), NAME)


def test_all_wrong_tensors_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileError) as refused:
        open_bytes(tmp_path, file_of({"a": 1, "b": 2, "c": 3}), NAME)
    assert len(refused.value.problems) == 3
