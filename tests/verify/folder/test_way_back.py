"""`verify FOLDER OUTPUT` after `to-paddle`: passes by FOLDER's record, and by nothing less."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from converter import convert, to_paddle
from converter.common.layout import BACK_MANIFEST, MANIFEST, SPECIAL_TOKENS_MAP, TOKENIZER_CONFIG
from tests.support.checkpoints import WORDPIECES, make_config, make_state, write_folder
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


@pytest.fixture
def saved(tmp_path: Path) -> tuple[Path, Path]:
    """FOLDER and OUTPUT with a tokenizer, the latter with what `save_pretrained` writes otherwise than `convert`."""
    sizes = {"vocab_size": len(WORDPIECES)}
    source = write_folder(tmp_path / "source", make_state("ErnieModel", **sizes), make_config("ErnieModel", **sizes))
    (source / "vocab.txt").write_text("".join(f"{token}\n" for token in WORDPIECES), encoding="utf-8")
    output = tmp_path / "out"
    convert(source, output)
    config = json.loads((output / "config.json").read_text())
    del config["tie_word_embeddings"]  # transformers 4 leaves out what is its default.
    (output / "config.json").write_text(json.dumps({**config, "transformers_version": "4.57.6"}))
    settings = json.loads((output / TOKENIZER_CONFIG).read_text())
    (output / TOKENIZER_CONFIG).write_text(json.dumps({**settings, "tokenizer_class": "TokenizersBackend"}))
    tokens = {name: token for name, token in settings.items() if name.endswith("_token")}
    (output / SPECIAL_TOKENS_MAP).write_text(json.dumps(tokens))
    (output / MANIFEST).unlink()
    to_paddle(output, tmp_path / "back")
    return tmp_path / "back", output


def test_what_save_pretrained_writes_otherwise_is_no_fault(saved: tuple[Path, Path]) -> None:
    assert run(saved).problems == []


def test_other_special_tokens_are_one(saved: tuple[Path, Path]) -> None:
    table = json.loads((saved[1] / SPECIAL_TOKENS_MAP).read_text())
    (saved[1] / SPECIAL_TOKENS_MAP).write_text(json.dumps({**table, "cls_token": "[SEP]"}))
    assert "E419" in [problem.code for problem in run(saved).problems]


def test_in_a_folder_of_converts_the_same_is_a_fault(saved: tuple[Path, Path]) -> None:
    convert(saved[1].parent / "source", saved[1].parent / "again")
    (saved[1] / MANIFEST).write_bytes((saved[1].parent / "again" / MANIFEST).read_bytes())
    problems = [str(problem) for problem in run(saved).problems]
    assert any("tokenizer_class is 'TokenizersBackend'" in text for text in problems)
    assert any(text.startswith(f"error[E419]: {SPECIAL_TOKENS_MAP}") for text in problems)
