"""tokenizer.json: the same bytes each time, what it holds, and the tables of characters."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from benchmarks import character_classes
from converter.open.tokenizer.find_tokenizer import find_tokenizer
from converter.write.tokenizer_files import write_tokenizer
from converter.write.wordpiece_json import build_tokenizer_json
from mappings import load_family
from tests.converter.open.tokenizer.test_wordpiece_files import ERNIE, ONE_COLUMN, write_vocabulary


def build(folder: Path, vocabulary: bytes = ONE_COLUMN, **files: object) -> dict[str, Any]:
    found = find_tokenizer(write_vocabulary(folder, vocabulary, **files), ERNIE)
    assert found is not None
    return build_tokenizer_json(found)


def encode(data: dict[str, Any], text: str) -> list[str]:
    tokenizers = pytest.importorskip("tokenizers")
    tokens: list[str] = tokenizers.Tokenizer.from_str(json.dumps(data)).encode(text).tokens
    return tokens


@pytest.mark.skipif(
    unicodedata.unidata_version != character_classes.UNICODE, reason="another Unicode than the reference's"
)
def test_the_tables_are_those_of_the_reference_python() -> None:
    assert character_classes.PLACE.read_text("utf-8") == character_classes.render()


def test_the_bytes_are_the_same_each_time_and_two_files_are_written(tmp_path: Path) -> None:
    found = find_tokenizer(write_vocabulary(tmp_path / "in"), ERNIE)
    assert found is not None
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_tokenizer(tmp_path / name, found, ERNIE, 128, ERNIE.usual_preset)
        assert sorted(path.name for path in (tmp_path / name).iterdir()) == ["tokenizer.json", "tokenizer_config.json"]
    written = [(tmp_path / name / "tokenizer.json").read_bytes() for name in ("one", "two")]
    assert written[0] == written[1]
    config = json.loads((tmp_path / "one" / "tokenizer_config.json").read_text())
    assert config["model_max_length"] == 128
    assert config["model_input_names"] == ["input_ids", "token_type_ids", "attention_mask"]
    assert (config["tokenizer_class"], "auto_map" in config) == ("PreTrainedTokenizerFast", False)


def test_symbols_stand_alone_where_the_text_is_lowered_and_where_it_is_not(tmp_path: Path) -> None:
    data = build(tmp_path)
    assert encode(data, "AB$a\u4e2da \u00e1") == ["[CLS]", "a", "##b", "$", "a", "\u4e2d", "a", "a", "[SEP]"]
    cased = build(tmp_path, tokenizer_config={"do_lower_case": False})
    assert encode(cased, "ab$A \u00e1") == ["[CLS]", "a", "##b", "$", "[UNK]", "[UNK]", "[SEP]"]


def test_ids_of_added_tokens_are_kept_also_where_they_are_another_tokens(tmp_path: Path) -> None:
    table = {"additional_special_tokens": ["[NEW]"]}
    data = build(tmp_path, b"$\n" + ONE_COLUMN, special_tokens_map=table)
    assert data["model"]["vocab"]["[NEW]"] == data["model"]["vocab"]["[UNK]"] == 9
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer.from_str(json.dumps(data))
    assert tokenizer.encode("a[NEW]").ids == [2, 5, 9, 3]
    assert tokenizer.id_to_token(9) == "[NEW]"  # as PaddleNLP's convert_ids_to_tokens


def test_blank_lines_are_no_tokens(tmp_path: Path) -> None:
    vocabulary = build(tmp_path, b"\n" + ONE_COLUMN)["model"]["vocab"]
    assert "" not in vocabulary and vocabulary["[PAD]"] == 1


@pytest.mark.parametrize(
    ("token", "normalized"), [("[NEW]", False), ("<s>", True), ("\u00e9t\u00e9", False), ("42", False)]
)
def test_added_tokens_are_found_in_lowered_text_where_paddlenlp_finds_them_there(
    tmp_path: Path, token: str, normalized: bool
) -> None:
    data = build(tmp_path, special_tokens_map={"additional_special_tokens": [token]})
    assert data["added_tokens"][-1]["content"] == token
    assert data["added_tokens"][-1]["normalized"] is normalized


def test_the_manifest_and_the_card_know_the_file() -> None:
    from converter.write.manifest import summed_files

    assert summed_files(load_family("ernie"), "ErnieModel") == ("tokenizer.json",)
