"""tokenizer.json of OUTPUT, read as the files that it was made from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from converter import Paddle2TorchError
from converter.common.layout import TOKENIZER_CONFIG, TOKENIZER_JSON
from converter.open.tokenizer.tokenizer_files import TokenizerFiles
from converter.open.tokenizer.tokenizer_json import list_lines, read_tokenizer_json
from converter.open.tokenizer.wordpiece_files import read_wordpiece
from converter.write.wordpiece_json import build_tokenizer_json
from mappings import load_family

FAMILY = load_family("ernie")
TOKENS = ["[PAD]", "[CLS]", "[SEP]", "[MASK]", "the", "Lamp", "##s", "中", "[UNK]"]


def source(folder: Path, tokens: list[str], config: dict[str, Any] | None = None, **added: int) -> TokenizerFiles:
    folder.mkdir()
    (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in tokens), encoding="utf-8")
    (folder / TOKENIZER_CONFIG).write_text(json.dumps(config or {}))
    if added:
        (folder / "added_tokens.json").write_text(json.dumps(added))
    found = read_wordpiece(folder, FAMILY)
    assert found is not None
    return found


def there_and_back(folder: Path, files: TokenizerFiles) -> TokenizerFiles:
    folder.mkdir()
    (folder / TOKENIZER_JSON).write_text(json.dumps(build_tokenizer_json(files)))
    settings = files.settings
    config = {"additional_special_tokens": list(settings.additional), **settings.special_tokens}
    (folder / TOKENIZER_CONFIG).write_text(json.dumps(config))
    found = read_tokenizer_json(folder, FAMILY)
    assert found is not None
    return found


@pytest.mark.parametrize("lower", [True, False])
def test_the_vocabulary_as_it_was(lower: bool, tmp_path: Path) -> None:
    files = source(tmp_path / "source", TOKENS, {"do_lower_case": lower})
    found = there_and_back(tmp_path / "out", files)
    assert found.vocabulary == files.vocabulary and found.warnings == ()
    assert found.settings.do_lower_case is lower and dict(found.added_tokens) == {}


def test_added_tokens_with_their_ids(tmp_path: Path) -> None:
    config = {"additional_special_tokens": ["[O]"]}
    files = source(tmp_path / "source", TOKENS, config, new=9, **{"[O]": 10})
    found = there_and_back(tmp_path / "out", files)
    assert dict(found.added_tokens)["new"] == 9
    # A special token is found in a text before it is split, as a line of the vocabulary too.
    assert build_tokenizer_json(found)["model"] == build_tokenizer_json(files)["model"]
    assert build_tokenizer_json(found)["added_tokens"] == build_tokenizer_json(files)["added_tokens"]


@pytest.mark.parametrize("lost", ["the", ""])
def test_a_line_that_no_id_stands_for(lost: str, tmp_path: Path) -> None:
    """A token that stands in the file twice, and a blank line: the ids of all others stay."""
    tokens = ["[PAD]", "[CLS]", lost, "[SEP]", "[MASK]", "the", "[UNK]"]
    files = source(tmp_path / "source", tokens, None, new=6 if lost else 7)
    found = there_and_back(tmp_path / "out", files)
    assert build_tokenizer_json(found)["model"]["vocab"] == build_tokenizer_json(files)["model"]["vocab"]
    assert dict(found.added_tokens) == dict(files.added_tokens)
    # PaddleNLP numbers added tokens by how many different tokens the vocabulary has: as many as before.
    assert len(set(found.vocabulary.decode().split("\n"))) == len(set(files.vocabulary.decode().split("\n")))


def test_lines_of_a_vocabulary_with_gaps() -> None:
    assert list_lines({"a": 0, "b": 2}, {}) == ["a", "", "b"]
    assert list_lines({"a": 0, "b": 2}, {"new": 2}) == ["a", "b", "b"]
    assert list_lines({"a": 0, "b": 2}, {"new": 3}) == ["a", "", "b"]


def test_a_folder_without_one(tmp_path: Path) -> None:
    assert read_tokenizer_json(tmp_path, FAMILY) is None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda data: data.pop("model"), "no table of tokens"),
        (lambda data: data["model"]["vocab"].update({"x": -1}), "'x' has the id -1"),
        (lambda data: data["model"]["vocab"].update({"a\nb": 9}), "cannot be a line"),
        (lambda data: data["model"]["vocab"].update({"x": 1 << 40}), "has the id"),
        (lambda data: data["added_tokens"].append({"content": "the", "id": 77}), "added_tokens has 'the'"),
        (lambda data: data["model"]["vocab"].pop("[CLS]"), "lacks '.CLS.' .cls_token."),
    ],
)
def test_what_is_no_vocabulary(change: Any, expected: str, tmp_path: Path) -> None:
    data = build_tokenizer_json(source(tmp_path / "source", TOKENS))
    data["added_tokens"] = []
    change(data)
    (tmp_path / TOKENIZER_JSON).write_text(json.dumps(data))
    with pytest.raises(Paddle2TorchError, match=f"E021.*{expected}"):
        read_tokenizer_json(tmp_path, FAMILY)
