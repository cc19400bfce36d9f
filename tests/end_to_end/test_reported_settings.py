"""Settings and added tokens that people reported lost, with PaddleNLP's vocabulary: the ids are PaddleNLP 2.8.1's."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from converter import convert
from mappings import load_family
from tests.support.checkpoints import make_state, write_folder
from verify.tokens.compare_tokens import load_tokenizer

pytest.importorskip("transformers")


def load_converted(shared_data: Path, report: str, tmp_path: Path) -> tuple[Any, tuple[str, ...]]:
    source = tmp_path / "in"
    shutil.copytree(shared_data / "reports" / report, source)
    for name in ("vocab.txt", "sentencepiece.bpe.model"):
        shutil.copy(shared_data / f"ernie_m.{name}", source / name)
    config = json.loads((source / "config.json").read_text())
    sizes = {name: config[name] for name in ("vocab_size", "max_position_embeddings", "hidden_size")}
    for path in source.iterdir():
        path.chmod(0o644)
    state = make_state("ErnieMForSequenceClassification", **sizes)
    two = {name: state[name][..., :2] for name in ("classifier.weight", "classifier.bias")}
    write_folder(source, {**state, **two}, config)
    result = convert(source, tmp_path / "out")
    return load_tokenizer(tmp_path / "out", load_family("ernie_m")), result.warnings


def test_left_sides_and_a_short_limit(shared_data: Path, tmp_path: Path) -> None:
    tokenizer, _ = load_converted(shared_data, "settings_left", tmp_path)
    assert tokenizer(["a b c", "a"], padding=True)["input_ids"][1] == [1, 1, 0, 10, 2]
    assert tokenizer("a b c d e f g h", max_length=5, truncation=True)["input_ids"] == [0, 1238, 706, 1096, 2]
    assert tokenizer.model_max_length == 128


def test_added_tokens_with_paddlenlps_ids(shared_data: Path, tmp_path: Path) -> None:
    tokenizer, warnings = load_converted(shared_data, "settings_added", tmp_path)
    assert tokenizer("x [OPTION] y")["input_ids"] == [0, 1022, 250000, 113, 2]
    assert [tokenizer.convert_tokens_to_ids(token) for token in ("<e1>", "</e1>", "[MASK]")] == [250001, 250002, 250001]
    (said,) = [text for text in warnings if "no row" in text]
    assert "'</e1>' 250002. The embedding has 250002 rows, 0 to 250001" in said and "OPTION" not in said


def test_an_additional_special_token_without_an_id(shared_data: Path, tmp_path: Path) -> None:
    source = shutil.copytree(shared_data / "reports" / "settings_added", tmp_path / "reports" / "without")
    source.chmod(0o755)
    (source / "added_tokens.json").unlink()
    for name in ("vocab.txt", "sentencepiece.bpe.model"):
        shutil.copy(shared_data / f"ernie_m.{name}", tmp_path / f"ernie_m.{name}")
    tokenizer, _ = load_converted(tmp_path, "without", tmp_path)
    assert tokenizer("x [OPTION] y")["input_ids"] == [0, 1022, 250000, 113, 2]
