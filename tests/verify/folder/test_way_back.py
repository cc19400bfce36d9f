"""`verify FOLDER OUTPUT` after `to-paddle`: passes by FOLDER's record, and by nothing less."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from converter import convert, to_paddle
from converter.common.layout import BACK_MANIFEST, MANIFEST
from tests.support.checkpoints import make_config, make_state, write_folder
from verify import Report, verify


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, Path]:
    """FOLDER and OUTPUT."""
    name = "ErnieMForSequenceClassification"
    convert(write_folder(tmp_path / "source", make_state(name), make_config(name)), tmp_path / "out")
    to_paddle(tmp_path / "out", tmp_path / "back")
    return tmp_path / "back", tmp_path / "out"


def run(made: tuple[Path, Path]) -> Report:
    return verify(*made, static_only=True)


def test_it_passes_and_says_what_was_not_compared(made: tuple[Path, Path]) -> None:
    report = run(made)
    assert report.passed
    assert any("the checkpoint that OUTPUT was made from before is not at hand" in text for text in report.warnings)


def test_a_folder_that_training_saved_has_no_manifest(made: tuple[Path, Path]) -> None:
    (made[1] / MANIFEST).unlink()
    report = run(made)
    assert report.passed and any("OUTPUT has no manifest" in text for text in report.warnings)
    (made[1] / MANIFEST).write_text("{}")  # One that is damaged is a fault.
    assert [problem.code for problem in run(made).problems] == ["E406"]


def test_without_the_record_neither_passes(made: tuple[Path, Path]) -> None:
    (made[0] / BACK_MANIFEST).unlink()
    assert [problem.code for problem in run(made).problems] == ["E406"]
    (made[1] / MANIFEST).unlink()
    assert [problem.code for problem in run(made).problems] == ["E406"]


@pytest.mark.parametrize("damage", ["sum", "no files", "not JSON", "no weights"])
def test_a_record_of_another_output_counts_for_nothing(damage: str, made: tuple[Path, Path]) -> None:
    path = made[0] / BACK_MANIFEST
    record = json.loads(path.read_text())
    if damage == "sum":
        record["source"]["files"][1]["sha256"] = "0" * 64
    elif damage == "no files":
        record["source"]["files"] = []
    elif damage == "no weights":
        record["source"]["files"] = [file for file in record["source"]["files"] if file["name"] == "config.json"]
    path.write_text("{" if damage == "not JSON" else json.dumps(record))
    assert "E406" in [problem.code for problem in run(made).problems]


def test_another_weight_is_found_all_the_same(made: tuple[Path, Path]) -> None:
    (made[1] / MANIFEST).unlink()
    tensors = load_file(made[1] / "model.safetensors")
    tensors["classifier.bias"] = tensors["classifier.bias"] + np.float32(1)
    save_file(tensors, made[1] / "model.safetensors", {"format": "pt"})
    codes = [problem.code for problem in run(made).problems]
    assert "E401" in codes and "E406" in codes  # It is not what FOLDER was made of any more.
