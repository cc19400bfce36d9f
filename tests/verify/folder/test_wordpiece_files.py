"""tokenizer.json against the one that follows from SOURCE: every part that is another is found, by its name."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from converter.open.tokenizer.find_tokenizer import find_tokenizer
from converter.open.tokenizer.tokenizer_files import TokenizerFiles
from converter.write.tokenizer_files import write_tokenizer
from tests.converter.open.tokenizer.test_wordpiece_files import ERNIE, write_vocabulary
from verify.folder.wordpiece_files import check_wordpiece_files


@pytest.fixture
def source(tmp_path: Path) -> TokenizerFiles:
    files = {"added_tokens": {"[NEW]": 9}, "special_tokens_map": {"additional_special_tokens": ["[NEW]"]}}
    found = find_tokenizer(write_vocabulary(tmp_path / "in", **files), ERNIE)
    assert found is not None
    return found


@pytest.fixture
def output(source: TokenizerFiles, tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    write_tokenizer(tmp_path / "out", source, ERNIE, 64, ERNIE.usual_preset)
    return tmp_path / "out"


def texts(output: Path, source: TokenizerFiles) -> list[str]:
    return [problem.text for problem in check_wordpiece_files(output, source, None)[0]]


def test_what_convert_writes_is_right_whatever_its_form(output: Path, source: TokenizerFiles) -> None:
    assert check_wordpiece_files(output, source, None) == ([], [])
    data = json.loads((output / "tokenizer.json").read_text())
    (output / "tokenizer.json").write_text(json.dumps(data, sort_keys=True))
    assert check_wordpiece_files(output, source, None) == ([], [])
    (output / "tokenizer.json").unlink()
    assert check_wordpiece_files(output, source, None) == ([], [])


def _swap(data: dict[str, Any]) -> None:
    tokens = data["model"]["vocab"]
    tokens["a"], tokens["$"] = tokens["$"], tokens["a"]


FAULTS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "'a' 6, expected 4": _swap,
    "'x' 11, expected no such token": lambda data: data["model"]["vocab"].update(x=11),
    "'$' is not there": lambda data: data["model"]["vocab"].pop("$"),
    "model.max_input_chars_per_word": lambda data: data["model"].update(max_input_chars_per_word=101),
    "normalizer": lambda data: data["normalizer"]["normalizers"].pop(),
    "pre_tokenizer": lambda data: data["pre_tokenizer"]["pretokenizers"].pop(),
    "post_processor": lambda data: data["post_processor"]["pair"][-1]["SpecialToken"].update(type_id=False),
    "added_tokens": lambda data: data["added_tokens"][0].update(normalized=True),
    "decoder": lambda data: data["decoder"].update(cleanup=True),
    "truncation": lambda data: data.update(truncation={"max_length": 5}),
    "more": lambda data: data.update(more=1),
    "expected 4": lambda data: data.update(model=None),
}


@pytest.mark.parametrize("name", FAULTS)
def test_another_part_is_named(output: Path, source: TokenizerFiles, name: str) -> None:
    data = json.loads((output / "tokenizer.json").read_text())
    FAULTS[name](data)
    (output / "tokenizer.json").write_text(json.dumps(data))
    assert name in " ".join(texts(output, source))


def test_no_byte_can_change_without_being_found(output: Path, source: TokenizerFiles) -> None:
    whole = (output / "tokenizer.json").read_bytes()
    content, chosen = json.loads(whole), random.Random(4)
    for _ in range(300):
        place, byte = chosen.randrange(len(whole)), chosen.randrange(256)
        damaged = whole[:place] + bytes([byte]) + whole[place + 1 :]
        (output / "tokenizer.json").write_bytes(damaged)
        try:
            same = json.loads(damaged) == content
        except ValueError:
            same = False
        assert bool(texts(output, source)) is not same, (place, byte)


def test_files_from_which_transformers_takes_tokens_must_not_be_there(output: Path, source: TokenizerFiles) -> None:
    (output / "added_tokens.json").write_text('{"x": 3}')
    assert "added_tokens.json: `convert` writes no such file" in texts(output, source)[0]
    (output / "added_tokens.json").unlink()
    (output / "vocab.txt").write_text("a\n")
    problems, warnings = check_wordpiece_files(output, source, None)
    assert problems == [] and "BERT's tokens" in warnings[0]


def test_a_field_that_is_not_written_is_named(output: Path, source: TokenizerFiles) -> None:
    config = json.loads((output / "tokenizer_config.json").read_text())
    (output / "tokenizer_config.json").write_text(json.dumps({**config, "odd": 1, "do_lower_case": False}))
    assert len(texts(output, source)) == 2
