"""What lies next to a model and is not needed may be damaged: a warning, and the model is read without it."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from converter.common.errors import FileError, SourceError
from converter.open.dispatch import open_weights
from converter.open.source import open_source
from tests.support.checkpoints import make_config, make_state, write_folder
from tests.support.streams import combined, info, official, pir, program_desc, write_variables

STATE = official()
DAMAGED = {
    "cut short": program_desc(STATE)[:40],
    "not even a program": b"\xff" * 64,
    "a web page": b"<!DOCTYPE html><html>404",
    "a git-LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n",
    "empty": b"",
}


class Hostile:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, ("true",)


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_program_next_to_a_file_per_variable(damage: str, tmp_path: Path) -> None:
    folder = write_variables(tmp_path / "params", STATE)
    expected = open_weights(folder).tensors.keys()
    (folder / "__model__").write_bytes(DAMAGED[damage])
    found = open_weights(folder)
    assert found.tensors.keys() == expected
    (warning,) = [warning for warning in found.warnings if "__model__" in warning]
    assert warning.endswith("Not needed and not used: the files of the variables have their names")


def test_a_whole_program_next_to_a_damaged_one(tmp_path: Path) -> None:
    folder = write_variables(tmp_path / "params", STATE)
    (folder / "__model__").write_bytes(b"\xff" * 64)
    (folder / "__model__.json").write_bytes(pir(STATE))
    assert [file.name for file in open_weights(folder).files][-1] == "__model__.json"


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_second_program_next_to_a_combined_file(damage: str, tmp_path: Path) -> None:
    (tmp_path / "inference.pdiparams").write_bytes(combined(STATE))
    (tmp_path / "inference.json").write_bytes(pir(STATE))
    (tmp_path / "__model__").write_bytes(DAMAGED[damage])
    found = open_weights(tmp_path / "inference.pdiparams")
    assert found.naming == "official"
    assert any("Not needed and not used: inference.json names the tensors" in warning for warning in found.warnings)


def test_a_damaged_table_of_names_next_to_a_whole_program(tmp_path: Path) -> None:
    (tmp_path / "inference.pdiparams").write_bytes(combined(STATE))
    (tmp_path / "inference.pdmodel").write_bytes(program_desc(STATE))
    (tmp_path / "inference.pdiparams.info").write_bytes(info({})[:3])
    assert open_weights(tmp_path).naming == "official"


def test_the_only_program_of_a_combined_file_is_needed(tmp_path: Path) -> None:
    (tmp_path / "inference.pdiparams").write_bytes(combined(STATE))
    (tmp_path / "inference.pdmodel").write_bytes(b"\xff" * 64)
    with pytest.raises(FileError, match=r"E321.*inference\.pdmodel"):
        open_weights(tmp_path)


def test_a_neighbour_that_wants_to_run_something_is_refused_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "inference.pdiparams").write_bytes(combined(STATE))
    (tmp_path / "inference.json").write_bytes(pir(STATE))
    (tmp_path / "inference.pdiparams.info").write_bytes(pickle.dumps(Hostile(), 2))
    with pytest.raises(FileError, match="E301"):
        open_weights(tmp_path)


def test_what_a_chosen_file_makes_ignored_is_not_opened(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    (folder / "model_state.other.pdparams").symlink_to(folder / "gone")
    (folder / "pytorch_model.bin").symlink_to(folder / "gone")
    (folder / "model_config.json").symlink_to(folder / "gone")
    found = open_source(folder)
    assert found.tensors.tensors.keys() == make_state().keys()
    assert any("model_state.other.pdparams" in warning for warning in found.warnings)


def test_the_same_link_is_an_error_where_it_would_be_the_model(tmp_path: Path) -> None:
    (tmp_path / "model_state.other.pdparams").symlink_to(tmp_path / "gone")
    with pytest.raises(FileError, match="E310.*a link to a file that is gone"):
        open_weights(tmp_path)


def test_an_empty_json_next_to_a_state_dict_is_no_program(tmp_path: Path) -> None:
    (tmp_path / "x.pdparams").write_bytes(pickle.dumps(make_state(), 4))
    (tmp_path / "x.json").write_bytes(b"")
    with pytest.raises(SourceError, match=r"E002.*Do you mean x\.pdparams\?"):
        open_weights(tmp_path)


def test_a_config_of_the_folder_above_is_not_looked_at_where_one_is_beside(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    folder = write_folder(tmp_path / "inner", config={})
    with pytest.raises(FileError, match="E307"):
        open_source(folder)
    (folder / "config.json").write_text(json.dumps(make_config()))
    assert open_source(folder).config.architecture == "ErnieMModel"
