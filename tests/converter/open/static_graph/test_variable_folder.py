"""Folders with one file per variable: weights are found, others left out with a reason, no special file is opened."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import numpy as np
import pytest

from converter.common.errors import FileError, SourceError
from converter.open.dispatch import open_weights
from converter.open.static_graph import variable_folder as variables
from mappings import load_family
from tests.support.pickles import numbered, same
from tests.support.streams import (
    automatic,
    key_of,
    official,
    official_shapes,
    pir,
    program_desc,
    stream,
    under_keys,
    write_variables,
)


@pytest.mark.parametrize(("inner", "source"), [("params", "."), ("params", "params"), (".", "."), ("step_7", ".")])
def test_the_places_where_variables_lie(inner: str, source: str, tmp_path: Path) -> None:
    state = official(layers=2)
    write_variables(tmp_path / inner, state)
    (tmp_path / "ernie_config.json").write_text("{}")
    opened = open_weights(tmp_path / source)
    assert same(opened, under_keys(state)) and opened.warnings == () and opened.left_out == ()
    assert (opened.format, opened.naming, opened.inferred_class) == (
        "variables",
        "official",
        "ErnieMForSequenceClassification",
    )
    assert {file.name for file in opened.files} == set(state)
    assert all(key_of(tensor.stored_as) == key for key, tensor in opened.tensors.items())


def test_several_steps_are_not_chosen_between(tmp_path: Path) -> None:
    for step in ("step_1", "step_20"):
        write_variables(tmp_path / step, official())
    with pytest.raises(SourceError, match="E003.*step_1, step_20"):
        open_weights(tmp_path)


@pytest.mark.parametrize(("name", "write"), [("__model__", program_desc), ("__model__.json", pir)])
def test_a_program_beside_them_must_agree(name: str, write: object, tmp_path: Path) -> None:
    assert callable(write)
    state, expected = automatic(starts=(2, 5, 8))
    write_variables(tmp_path, state)
    (tmp_path / name).write_bytes(write(state))
    for source in (tmp_path, tmp_path / name):
        opened = open_weights(source)
        assert same(opened, expected) and opened.files[-1].name == name
    (tmp_path / "linear_8.b_0").unlink()
    (tmp_path / "linear_9.b_0").unlink()
    (tmp_path / "linear_9.b_0").write_bytes(stream(numbered(9)))
    with pytest.raises(FileError) as refused:
        open_weights(tmp_path)
    assert f"{name} names 'linear_8.b_0', which are not there" in str(refused.value)
    assert "linear_9.b_0: [9] of float32; the program has [4] of float32" in str(refused.value)


def test_a_fine_tuned_folder_leaves_out_what_is_no_weight_and_says_why(tmp_path: Path) -> None:
    state = official()
    state_of_optimizer = {f"{name}_moment{n}_0" for name in state for n in (1, 2)}
    state_of_optimizer |= {f"{name}_beta{n}_pow_acc_0" for name in state for n in (1, 2)}
    write_variables(tmp_path, state)
    for name in state_of_optimizer:
        (tmp_path / name).write_bytes(b"never opened")
    others = {
        "@LR_DECAY_COUNTER@": ("a counter of the training", np.zeros(1, "i8")),
        "labels": ("an input of the training graph", np.zeros((8, 1), "i8")),
        "mean_0.tmp_0": ("an output of the training graph", np.zeros(1, "f4")),
        "something_else": ("holds int64, no weights", np.zeros(1, "i8")),
    }
    for name, (_, array) in others.items():
        (tmp_path / name).write_bytes(stream(array))
    (tmp_path / "notes").write_text("hello")
    (tmp_path / "logs").mkdir()
    os.mkfifo(tmp_path / "pipe")
    opened = open_weights(tmp_path)
    assert same(opened, under_keys(state))
    said = dict(opened.left_out)
    assert {name for name, why in said.items() if why == "the optimizer's state"} == state_of_optimizer
    assert {name: said[name] for name in others} == {name: why for name, (why, _) in others.items()}
    assert said["notes"] == "no tensor of a static graph" and said["logs"] == "a folder, not looked into"
    assert "no regular file" in said["pipe"]
    assert set(said) == state_of_optimizer | set(others) | {"notes", "logs", "pipe"}
    assert {file.name for file in opened.files} == set(state)


def test_of_fp16_weights_the_master_copies_are_taken(tmp_path: Path) -> None:
    state = official()
    halves = {name: array.astype("f2") for name, array in state.items() if "layer_norm" not in name}
    write_variables(tmp_path, state)
    for name, array in halves.items():
        write_variables(tmp_path, {f"{name}.master": state[name], name: array})
        (tmp_path / f"{name}.master_moment1_0").write_bytes(b"never opened")
    opened = open_weights(tmp_path)
    assert same(opened, under_keys(state))
    assert dict(opened.left_out)["word_embedding"] == "a copy in float16 of word_embedding.master, which is taken"
    assert opened.tensors["ernie_m.embeddings.word_embeddings.weight"].stored_as == "word_embedding.master"
    assert dict(opened.left_out)["word_embedding.master_moment1_0"] == "the optimizer's state"
    (tmp_path / "cls_out_b.master").unlink()
    with pytest.raises(FileError, match=r"E101.*missing: cls_out_b\.master; other weights have theirs"):
        open_weights(tmp_path)
    write_variables(tmp_path, {"cls_out_b.master": numbered(9)})
    with pytest.raises(FileError, match=r"E305.*cls_out_b\.master is \[9\] of float32, and cls_out_b is \[3\]"):
        open_weights(tmp_path)


def test_weights_of_pre_training_are_extras(tmp_path: Path) -> None:
    extras = {
        "mask_lm_trans_fc.w_0": numbered(4, 4),
        "mask_lm_of_another_kind": numbered(2),
        "sent_embedding": numbered(4, 4),
    }
    state = official(head="")
    write_variables(tmp_path, {**state, **extras})
    opened = open_weights(tmp_path, (load_family("ernie_m"),))  # By the names alone it is an ERNIE.
    assert same(opened, under_keys(state)) and opened.inferred_class == "ErnieMModel"
    assert {name: tensor.read().tobytes() for name, tensor in opened.extras.items()} == {
        name: array.tobytes() for name, array in extras.items()
    }
    assert set(extras) <= {file.name for file in opened.files}


def test_a_weight_that_no_table_knows_is_left_to_the_plan(tmp_path: Path) -> None:
    write_variables(tmp_path, {**official(), "crf_w": numbered(3, 3)})
    assert "crf_w" in open_weights(tmp_path).tensors


@pytest.mark.parametrize("kind", ["FIFO", "folder", "a link to a file that is gone", "empty", "web page", "git-LFS"])
def test_a_weight_that_is_no_file_is_refused_by_name(kind: str, tmp_path: Path) -> None:
    path = write_variables(tmp_path, official()) / "pooled_fc.w_0"
    path.unlink()
    if kind == "FIFO":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind.startswith("a link"):
        path.symlink_to("nowhere")
    else:
        data = {"web page": b"<!doctype html><html>", "git-LFS": b"version https://git-lfs.github.com/spec/v1\n"}
        path.write_bytes(data.get(kind, b""))
    with pytest.raises(FileError, match=rf"E3\d\d.*pooled_fc\.w_0.*({kind}|cannot be read)"):
        open_weights(tmp_path)


def test_links_to_files_are_followed_as_caches_need_it(tmp_path: Path) -> None:
    state = official()
    write_variables(tmp_path / "blobs", state)
    (tmp_path / "params").mkdir()
    for name in state:
        (tmp_path / "params" / name).symlink_to(os.path.join("..", "blobs", name))
    assert same(open_weights(tmp_path / "params"), under_keys(state))


def test_all_damaged_files_are_named_at_once(tmp_path: Path) -> None:
    write_variables(tmp_path, official())
    whole = (tmp_path / "cls_out_b").read_bytes()
    (tmp_path / "cls_out_b").write_bytes(whole + b"\0")
    (tmp_path / "cls_out_w").write_bytes(whole[:-1])
    with pytest.raises(FileError) as refused:
        open_weights(tmp_path)
    assert [problem.code for problem in refused.value.problems] == ["E320", "E320"]
    assert f"cls_out_b (byte {len(whole)}): [3] of float32 ends here, and 1 bytes follow" in str(refused.value)
    assert "cls_out_w (byte 24): [3] of float32 takes 12 bytes and 11 are left" in str(refused.value)


def test_a_folder_of_endless_files_is_refused_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variables, "MOST_FILES", 50)
    write_variables(tmp_path, official())
    assert open_weights(tmp_path).tensors
    for number in range(50):
        (tmp_path / f"x{number}").touch()
    with pytest.raises(SourceError, match="E005.*more than 50 files"):
        open_weights(tmp_path)


def test_more_files_than_may_be_open_at_once(tmp_path: Path) -> None:
    state = official(layers=24)
    write_variables(tmp_path, state)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
    try:
        opened = open_weights(tmp_path)
        for key, array in under_keys(state).items():
            assert opened.tensors[key].read().tobytes() == array.tobytes()
        assert len(opened.files) == len(opened.tensors) == 392
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_file_that_changes_after_it_was_checked(tmp_path: Path) -> None:
    opened = open_weights(write_variables(tmp_path, official()))
    (tmp_path / "cls_out_b").write_bytes(b"short")
    with pytest.raises(FileError, match=r"E303.*cls_out_b has 5 bytes, and had \d+ when it was opened"):
        opened.tensors["classifier.bias"].read()


def test_a_stray_variable_does_not_make_a_folder_of_variables(tmp_path: Path) -> None:
    write_variables(tmp_path, {"word_embedding": numbered(3, 4)})
    with pytest.raises(SourceError, match="E002"):
        open_weights(tmp_path)


def test_variables_under_structured_names(tmp_path: Path) -> None:
    state = {key: array for key, array in under_keys(official()).items()}
    write_variables(tmp_path, state)
    assert same(open_weights(tmp_path), state)


def test_several_forms_in_one_folder_are_not_chosen_between(tmp_path: Path) -> None:
    write_variables(tmp_path / "params", official())
    (tmp_path / "inference.pdiparams").write_bytes(b"".join(stream(a) for a in official().values()))
    with pytest.raises(SourceError, match=r"E003.*inference\.pdiparams, params"):
        open_weights(tmp_path)


def test_paddlenlps_own_file_comes_first(tmp_path: Path) -> None:
    import pickle

    write_variables(tmp_path / "params", official())
    (tmp_path / "model_state.pdparams").write_bytes(pickle.dumps({"a": numbered(3)}, 4))
    assert same(open_weights(tmp_path), {"a": numbered(3)})


def test_shapes_of_the_tests_are_those_of_the_release() -> None:
    assert len(official_shapes(12, "")) == 198 and len(official_shapes(24, "")) == 390
