"""Combined files whose names and streams do not fit together are refused, with the place and with all problems."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converter.common.errors import FileError, SourceError
from converter.open.dispatch import open_weights
from tests.support.pickles import numbered, same
from tests.support.streams import (
    automatic,
    official,
    pir,
    program_desc,
    stream,
    under_keys,
    write_combined,
)


@pytest.mark.parametrize("kind", ["x.json", "x.pdmodel"])
@pytest.mark.parametrize(
    ("name", "shape", "said"),
    [
        ("cls_out_b", (4,), r"\[3\] of float32; x.* has \[4\] of float32 for 'cls_out_b'"),
        ("pooled_fc.w_0", (4, 5), r"\[4, 4\] of float32; x.* has \[4, 5\] of float32"),
    ],
)
def test_a_shape_that_is_not_the_programs(kind: str, name: str, shape: Any, said: str, tmp_path: Path) -> None:
    state = official()
    path = write_combined(tmp_path, state, kind, "x.pdiparams")
    other = {**state, name: np.zeros(shape, "f4")}
    (tmp_path / kind).write_bytes(pir(other) if kind.endswith("json") else program_desc(other))
    with pytest.raises(FileError, match=rf"E322.*x\.pdiparams \(byte \d+\): {said}"):
        open_weights(path)


@pytest.mark.parametrize("kind", ["x.json", "x.pdmodel"])
def test_a_dtype_that_is_not_the_programs(kind: str, tmp_path: Path) -> None:
    state = official()
    path = write_combined(tmp_path, state, kind, "x.pdiparams")
    other = {**state, "cls_out_w": state["cls_out_w"].astype("f2")}
    (tmp_path / kind).write_bytes(pir(other) if kind.endswith("json") else program_desc(other))
    with pytest.raises(FileError, match=r"E322.*float32; x\..* has \[4, 3\] of float16 for 'cls_out_w'"):
        open_weights(path)


@pytest.mark.parametrize("kind", ["x.json", "x.pdmodel"])
def test_bytes_behind_the_last_tensor_and_tensors_too_few(kind: str, tmp_path: Path) -> None:
    state = official()
    path = write_combined(tmp_path, state, kind, "x.pdiparams")
    whole = path.read_bytes()
    path.unlink()
    path.write_bytes(whole + b"\0")
    with pytest.raises(FileError, match=rf"E322.*byte {len(whole)}.*1 bytes follow the last of {len(state)} tensors"):
        open_weights(path)
    path.unlink()
    path.write_bytes(whole[: -len(stream(state["word_embedding"]))])
    with pytest.raises(FileError, match=rf"E322.*ends after {len(state) - 1} tensors, and {kind} names {len(state)}"):
        open_weights(path)
    path.unlink()
    path.write_bytes(whole[:-1])
    with pytest.raises(
        FileError, match=r"E320.*'word_embedding': \[11, 4\] of float32 takes 176 bytes and 175 are left"
    ):
        open_weights(path)


def test_all_shapes_that_do_not_fit_are_named_at_once(tmp_path: Path) -> None:
    state = official()
    path = write_combined(tmp_path, state, "x.json", "x.pdiparams")
    (tmp_path / "x.json").write_bytes(pir({**state, "cls_out_b": numbered(9), "word_embedding": numbered(3, 3)}))
    with pytest.raises(FileError) as refused:
        open_weights(path)
    assert len(refused.value.problems) == 2


def test_two_programs_must_agree(tmp_path: Path) -> None:
    state = official()
    path = write_combined(tmp_path, state, "x.json", "x.pdiparams")
    (tmp_path / "x.pdmodel").write_bytes(program_desc(state))
    assert same(open_weights(path), under_keys(state))
    (tmp_path / "x.pdmodel").unlink()
    (tmp_path / "x.pdmodel").write_bytes(program_desc(official(2)))
    with pytest.raises(FileError, match=r"E322.*x\.json and x\.pdmodel name different parameters"):
        open_weights(path)


def test_json_that_is_no_program_is_not_used(tmp_path: Path) -> None:
    state = official()
    path = write_combined(tmp_path, state, "", "params")
    (tmp_path / "params.json").write_text(json.dumps({"learning_rate": 1e-5}))
    opened = open_weights(path)
    assert same(opened, under_keys(state)) and "params.json is no program" in opened.warnings[0]


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><html>", b"version https://git-lfs.github.com/spec/v1\n", b""])
def test_a_failed_download_in_the_place_of_the_program_is_told(page: bytes, tmp_path: Path) -> None:
    path = write_combined(tmp_path, official(), "", "x.pdiparams")
    (tmp_path / "x.json").write_bytes(page)
    with pytest.raises(FileError, match=r"E30[34].*x\.json.*(web page|git-LFS|empty)"):
        open_weights(path)


def test_a_name_that_nothing_vouches_for_is_left_to_the_plan_where_it_cannot_have_moved(tmp_path: Path) -> None:
    state = {**official(), "crf_transitions": numbered(5, 5)}
    opened = open_weights(write_combined(tmp_path, state, "x.json", "x.pdiparams"))
    assert same(opened, under_keys(state)) and "crf_transitions" in opened.tensors


def test_a_name_that_nothing_vouches_for_beside_equal_shapes_is_refused(tmp_path: Path) -> None:
    state = {**official(), "pooled_fc.b_1": numbered(4)}
    with pytest.raises(FileError, match=r"E322.*'pooled_fc\.b_1': unknown names, next to tensors of the same shape"):
        open_weights(write_combined(tmp_path, state, "x.json", "x.pdiparams"))


def test_two_heads_and_two_schemes_are_refused(tmp_path: Path) -> None:
    two = {**official(), "cls_mrc_out_w": numbered(4, 2), "cls_mrc_out_b": numbered(2)}
    with pytest.raises(FileError, match="E103.*heads of ErnieMForQuestionAnswering and ErnieMForSequence"):
        open_weights(write_combined(tmp_path / "a", two, "x.json", "x.pdiparams"))
    both = {**official(), **automatic()[0]}
    with pytest.raises(
        FileError, match=r"E103.*two naming schemes.*\(automatic\).*\(official\)|E103.*\(official\).*\(auto"
    ):
        open_weights(write_combined(tmp_path / "b", both, "x.json", "x.pdiparams"))
    hidden = {**official(), "classifier.weight": numbered(7, 7)}
    with pytest.raises(FileError, match="E103.*'cls_out_w' and 'classifier.weight' are the same weight"):
        open_weights(write_combined(tmp_path / "c", hidden, "x.json", "x.pdiparams"))


def test_the_optimizers_state_in_a_training_programs_file_is_left_out(tmp_path: Path) -> None:
    state = official()
    more = {f"{name}_moment{n}_0": array * 0 for name, array in state.items() for n in (1, 2)}
    more |= {"@LR_DECAY_COUNTER@": np.zeros(1, "i8"), "learning_rate_0": np.zeros(1, "f4")}
    opened = open_weights(write_combined(tmp_path, {**state, **more}, "x.json", "x.pdiparams"))
    assert same(opened, under_keys(state))
    assert set(dict(opened.left_out)) == set(more) and all(dict(opened.left_out).values())


def test_several_exports_in_one_folder_are_not_chosen_between(tmp_path: Path) -> None:
    write_combined(tmp_path, official(), "a.json", "a.pdiparams")
    write_combined(tmp_path, official(), "b.json", "b.pdiparams")
    with pytest.raises(SourceError, match=r"E003.*a\.pdiparams, b\.pdiparams.*Name the one"):
        open_weights(tmp_path)


def test_a_program_without_weights(tmp_path: Path) -> None:
    (tmp_path / "x.pdmodel").write_bytes(program_desc(official()))
    with pytest.raises(SourceError, match=r"E004.*x\.pdmodel: a program without weights; expected x\.pdiparams or"):
        open_weights(tmp_path / "x.pdmodel")


def test_a_program_that_is_a_special_file_is_not_opened(tmp_path: Path) -> None:
    import os

    path = write_combined(tmp_path, official(), "", "x.pdiparams")
    os.mkfifo(tmp_path / "x.pdmodel")
    with pytest.raises(FileError, match=r"E310.*x\.pdmodel is a FIFO"):
        open_weights(path)
