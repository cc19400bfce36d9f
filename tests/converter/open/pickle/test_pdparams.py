"""State dicts in all the shapes in which Paddle and its users save them."""

from __future__ import annotations

import collections
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converter.common.errors import FileError
from tests.support.pickles import Runs, numbered, open_bytes, open_pickled, same

W, B = numbered(4, 6), numbered(6)
TABLE = "StructuredToParameterName@@"
SLICES = "UnpackBigParamInfor@@"


class Tensor:
    """A Parameter inside a nested dict, as Paddle pickles it: tuple((variable name, array))."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __reduce__(self) -> tuple[Any, ...]:
        return tuple, (("linear_0.w_0", self.array),)


def lod(array: np.ndarray) -> Runs:
    """A DenseTensor inside a nested dict: eval("data", {"data": array})."""
    return Runs(eval, "data", {"data": array})


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("wrap", [Tensor, lod, lambda array: array])
@pytest.mark.parametrize("kind", [dict, collections.OrderedDict])
def test_a_nested_state_dict_is_found_and_the_rest_named(kind: Any, wrap: Any, protocol: int, tmp_path: Path) -> None:
    whole = {"model": kind(w=wrap(W), b=wrap(B)), "epoch": np.float32(3), "best": 0.5}
    opened = open_pickled(tmp_path, whole, protocol)
    assert same(opened, {"w": W, "b": B})
    assert opened.warnings == ("model_state.pdparams: the tensors are those under 'model'; left out: 'epoch', 'best'",)


def test_a_flat_dict_with_other_values(tmp_path: Path) -> None:
    opened = open_pickled(tmp_path, {"w": Tensor(W), "step": 3, "note": "x" * 9000, 7: [1], "lr": np.float64(0.1)})
    assert same(opened, {"w": W})
    assert opened.warnings == ("model_state.pdparams: not tensors, left out: 'step', 'note', '7', 'lr'",)


def test_the_model_is_chosen_over_the_optimizer(tmp_path: Path) -> None:
    opened = open_pickled(tmp_path, {"opt": {"m": W, "v": W, "x": W}, "model": {"w": W, "b": B}, "step": numbered(1)})
    assert same(opened, {"w": W, "b": B})
    assert "left out: 'opt', 'step'" in opened.warnings[0]


def test_two_dicts_of_tensors_that_no_name_tells_apart(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"E306.*several dicts of tensors \('teacher', 'student'\)"):
        open_pickled(tmp_path, {"teacher": {"w": W}, "student": {"w": W}})


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([W], "a list"),
        (W, "one tensor"),
        (Tensor(W), "one tensor"),
        (3, "a single value"),
        (None, "nothing"),
        ({}, "no tensors"),
        ({"last_epoch": 2, "last_lr": 0.1}, "no tensors. Is it the scheduler's"),
        ({"a": {"b": {"c": {"d": {"e": {"w": W}}}}}}, "no tensors|nested more than"),
        ({7: W}, "a tensor is named 7"),
        ({"": W}, "a tensor is named ''"),
        ({"a\nb": W}, r"a tensor is named 'a\\nb'"),
        ({"\x1b[31m": W}, r"a tensor is named '\\x1b"),
    ],
)
def test_what_is_no_state_dict(value: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=f"E306.*{said}"):
        open_pickled(tmp_path, value)


def test_the_name_table_may_name_what_is_not_there(tmp_path: Path) -> None:
    opened = open_pickled(tmp_path, {"w": W, TABLE: {"w": "x", "gone": "x"}})
    assert same(opened, {"w": W})
    assert opened.warnings == (f"model_state.pdparams: {TABLE} names tensors that are not there: 'gone'",)


@pytest.mark.parametrize("table", [3, [], {"w": 1}, {"w": ["x"]}])
def test_a_name_table_that_is_none(table: Any, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="is not a table of names"):
        open_pickled(tmp_path, {"w": W, TABLE: table})


def sliced(count: int, **changed: Any) -> dict[str, Any]:
    """W cut into `count` slices as Paddle does it; `changed` takes the place of parts of it."""
    parts = {f"w@@.{number}": part for number, part in enumerate(np.array_split(W.ravel(), count))}
    entry = {"OriginShape": changed.get("shape", W.shape), "slices": changed.get("slices", list(parts))}
    return {"b": B, **parts, **changed.get("more", {}), TABLE: {"b": "x"}, SLICES: {"w": entry}}


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("count", [1, 2, 5, 24])
def test_slices_are_joined(count: int, protocol: int, tmp_path: Path) -> None:
    opened = open_pickled(tmp_path, sliced(count), protocol)
    assert same(opened, {"w": W, "b": B}) and opened.warnings == ()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"slices": ["w@@.1", "w@@.0", "w@@.2"]}, "in order"),
        ({"slices": ["w@@.0", "w@@.1"]}, "the slices have 16 elements"),
        ({"slices": ["w@@.0", "w@@.2"]}, "in order"),
        ({"slices": ["w@@.0", "w@@.0", "w@@.0"]}, "in order"),
        ({"slices": ["w@@.0", "w@@.1", "w@@.2", "w@@.3"]}, "missing 'w@@.3'"),
        ({"slices": []}, "in order"),
        ({"slices": "w@@.0"}, "in order"),
        ({"shape": (4, 7)}, r"the slices have 24 elements, OriginShape \[4, 7\] has 28"),
        ({"shape": (-1, 6)}, "OriginShape is no tuple"),
        ({"shape": [4, 6]}, "OriginShape is no tuple"),
        ({"shape": (4, 6.0)}, "OriginShape is no tuple"),
        ({"more": {"w": W}}, "the whole tensor is there too"),
        ({"more": {"w@@.3": B}}, "slices of no tensor: 'w@@.3'"),
        ({"more": {"w@@.1": W[:2, :4]}}, "flat and of one dtype"),
        ({"more": {"w@@.1": W.ravel()[:8].astype("f2")}}, "flat and of one dtype"),
        ({"more": {"w@@.1": 3}}, "missing 'w@@.1'"),
        ({"more": {SLICES: 3}}, None),
    ],
)
def test_slices_that_do_not_fit(changed: dict[str, Any], said: str | None, tmp_path: Path) -> None:
    state = sliced(3, **changed)
    if said is None:
        state[SLICES], said = 3, "expected a dict"
    with pytest.raises(FileError, match=f"E306.*{said}"):
        open_pickled(tmp_path, state, 2)


def test_slices_without_their_table(tmp_path: Path) -> None:
    state = sliced(2)
    del state[SLICES]
    with pytest.raises(FileError, match="slices of no tensor: 'w@@.0', 'w@@.1'"):
        open_pickled(tmp_path, state)


FOREIGN = {
    "a git-LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n",
    "a web page": b"\n<!DOCTYPE html><html><head>",
    "a JSON document": b'{"error": "not found"}',
    "a zip archive": b"PK\x03\x04" + bytes(60),
    "compressed with gzip": b"\x1f\x8b\x08" + bytes(60),
    "a NumPy array": b"\x93NUMPY\x01\x00",
    "filled with zeros": bytes(5000),
    "a link that was copied as text": b"../../blobs/deadbeef",
    "text, not a checkpoint": b"Not Found\n",
    "a tar archive": b"a/b".ljust(257, b"\0") + b"ustar\0" + bytes(200),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_another_kind_of_file_under_the_name_is_told(kind: str, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=f"E304.*is {kind}"):
        open_bytes(tmp_path, FOREIGN[kind])


def test_an_empty_file(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="E303.*the file is empty"):
        open_bytes(tmp_path, b"")


def test_every_problem_is_reported_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileError) as refused:
        open_bytes(tmp_path, pickle.dumps({7: W, "a\n": W, TABLE: 3}))
    assert len(refused.value.problems) == 3
