"""Which files of a folder are the model's, in PaddleNLP's order; weights in several files."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.numpy import save

from converter.common.errors import FileError, SourceError
from converter.open.dispatch import open_weights
from converter.open.folder import ORDER
from tests.support.pickles import numbered, same

A, B, C = numbered(2, 3), numbered(4), numbered(5)


def write(folder: Path, name: str, state: dict[str, Any]) -> None:
    if name.endswith(".bin"):
        torch.save({key: torch.from_numpy(value) for key, value in state.items()}, folder / name)
        return
    data = save(state, {"format": "np"}) if name.endswith(".safetensors") else pickle.dumps(state, 4)
    (folder / name).write_bytes(data)


def write_index(folder: Path, places: Any, name: str = ORDER[2], **more: Any) -> None:
    (folder / name).write_text(json.dumps({"metadata": {"total_size": 24 + 16 + 20}, "weight_map": places, **more}))


def write_shards(folder: Path, suffix: str = "pdparams", index: str = ORDER[2]) -> dict[str, str]:
    stem = "model_state" if suffix == "pdparams" else "model"
    one, two = (f"{stem}-0000{number}-of-00002.{suffix}" for number in (1, 2))
    write(folder, one, {"a": A, "b": B})
    write(folder, two, {"c": C})
    places = {"a": one, "b": one, "c": two}
    write_index(folder, places, index)
    return places


def write_form(folder: Path, form: str) -> None:
    if form.endswith(".json"):
        suffix = next(suffix for suffix in ("safetensors", "pdparams", "bin") if suffix in form)
        write_shards(folder, suffix, form)
    else:
        write(folder, form, {"a": A, "b": B, "c": C})


@pytest.mark.parametrize("form", ORDER)
def test_each_form_alone(form: str, tmp_path: Path) -> None:
    write_form(tmp_path, form)
    opened = open_weights(tmp_path)
    assert same(opened, {"a": A, "b": B, "c": C}) and opened.warnings == ()
    assert opened.files[0].name == form and len(opened.files) == (3 if form.endswith("json") else 1)


@pytest.mark.parametrize(("first", "second"), [(a, b) for i, a in enumerate(ORDER) for b in ORDER[i + 1 :]])
def test_the_first_form_wins_and_the_other_is_named(first: str, second: str, tmp_path: Path) -> None:
    write_form(tmp_path, second)
    write_form(tmp_path, first)
    (tmp_path / second).write_bytes(b"damaged, and not looked at")
    opened = open_weights(tmp_path)
    assert same(opened, {"a": A, "b": B, "c": C})
    assert [second in warning and "ignored" in warning for warning in opened.warnings] == [True]


@pytest.mark.parametrize("name", ["model_state.tp00.pdparams", "model.fp16.safetensors"])
def test_a_variant_is_taken_with_a_warning(name: str, tmp_path: Path) -> None:
    write(tmp_path, name, {"a": A})
    opened = open_weights(tmp_path)
    assert same(opened, {"a": A}) and [f"{name} is the variant" in warning for warning in opened.warnings] == [True]


def test_two_variants_are_not_chosen_between(tmp_path: Path) -> None:
    write(tmp_path, "model_state.tp00.pdparams", {"a": A})
    write(tmp_path, "model_state.tp01.pdparams", {"a": A})
    with pytest.raises(SourceError, match=r"E003.*tp00\.pdparams, model_state\.tp01\.pdparams"):
        open_weights(tmp_path)


@pytest.mark.parametrize("name", ["scheduler.pdparams", "master_weights.pdparams", "x.safetensors"])
def test_other_names_are_not_the_model(name: str, tmp_path: Path) -> None:
    write(tmp_path, name, {"a": A})
    with pytest.raises(SourceError, match=f"E002.*Looked for {ORDER[0]}, .*; there are {name}"):
        open_weights(tmp_path)


def test_an_empty_folder_and_one_above_the_right_one(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="E002.*the folder is empty"):
        open_weights(tmp_path)
    (tmp_path / "checkpoint-2").mkdir()
    write(tmp_path / "checkpoint-2", ORDER[3], {"a": A})
    with pytest.raises(SourceError, match="E002.*Do you mean checkpoint-2 in it"):
        open_weights(tmp_path)


def test_shards_without_their_index(tmp_path: Path) -> None:
    write_shards(tmp_path)
    (tmp_path / ORDER[2]).unlink()
    with pytest.raises(SourceError, match="E002.*Shards without their index"):
        open_weights(tmp_path)


def test_all_missing_shards_are_named_at_once(tmp_path: Path) -> None:
    places = write_shards(tmp_path)
    for name in set(places.values()):
        (tmp_path / name).unlink()
    with pytest.raises(FileError, match=r"E309.*2 of 2 files.*model_state-00001-of-00002.*model_state-00002-of-00002"):
        open_weights(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "../model.pdparams",
        "/etc/passwd.pdparams",
        "..",
        "",
        "a/b.pdparams",
        "a\\b.pdparams",
        "C:x.pdparams",
        "a\0.pdparams",
        "\x1b[31m.pdparams",
        "x" * 300 + ".pdparams",
        "model.safetensors",
        "config.json",
    ],
)
def test_names_that_leave_the_folder_are_not_opened(name: str, tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    write(tmp_path, "model.pdparams", {"a": A})
    write_index(inside, {"a": name})
    with pytest.raises(FileError, match="E311"):
        open_weights(inside)


@pytest.mark.parametrize("places", [None, {}, [], 3, {"a": 3}, {"a": None}, {"a\n": "x.pdparams"}])
def test_an_index_that_is_none(places: Any, tmp_path: Path) -> None:
    write_index(tmp_path, places)
    with pytest.raises(FileError, match="E309.*weight_map"):
        open_weights(tmp_path)


def test_an_index_that_disagrees_with_its_files(tmp_path: Path) -> None:
    places = write_shards(tmp_path)
    write_index(tmp_path, {**places, "b": places["c"], "lost": places["a"]})
    with pytest.raises(FileError) as refused:
        open_weights(tmp_path)
    said = str(refused.value)
    assert "not in model_state-00001-of-00002.pdparams: lost" in said
    assert "not in model_state-00002-of-00002.pdparams: b" in said
    assert "holds 'b'; the index has it in model_state-00002-of-00002.pdparams" in said


def test_a_tensor_that_the_index_does_not_name(tmp_path: Path) -> None:
    places = write_shards(tmp_path)
    write_index(tmp_path, {name: shard for name, shard in places.items() if name != "b"})
    with pytest.raises(FileError, match="holds 'b'; the index does not name it"):
        open_weights(tmp_path)


def test_a_tensor_in_two_shards(tmp_path: Path) -> None:
    places = write_shards(tmp_path)
    write(tmp_path, places["c"], {"c": C, "a": A})
    with pytest.raises(FileError, match="holds 'a'; the index has it in model_state-00001"):
        open_weights(tmp_path)


@pytest.mark.parametrize("metadata", [None, {}, {"total_size": 1}, {"total_size": "many"}])
def test_a_missing_or_wrong_total_is_a_warning(metadata: Any, tmp_path: Path) -> None:
    write_index(tmp_path, write_shards(tmp_path), metadata=metadata)
    opened = open_weights(tmp_path)
    assert same(opened, {"a": A, "b": B, "c": C}) and len(opened.warnings) == 1 and "total size" in opened.warnings[0]


def test_a_damaged_shard_is_refused_by_name_with_all_others(tmp_path: Path) -> None:
    places = write_shards(tmp_path)
    for name in set(places.values()):
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-3])
    with pytest.raises(FileError) as refused:
        open_weights(tmp_path)
    assert len(refused.value.problems) == 2


@pytest.mark.parametrize("form", ORDER)
def test_links_are_followed_as_caches_need_it(form: str, tmp_path: Path) -> None:
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshot"
    blobs.mkdir()
    snapshot.mkdir()
    write_form(snapshot, form)
    for number, path in enumerate(sorted(snapshot.iterdir())):
        path.rename(blobs / str(number))
        path.symlink_to(os.path.join("..", "blobs", str(number)))
    assert same(open_weights(snapshot), {"a": A, "b": B, "c": C})
