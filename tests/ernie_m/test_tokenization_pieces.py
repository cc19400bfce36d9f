"""How a sentencepiece piece becomes tokens: PaddleNLP's rule and the 2021 release's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ernie_m.tokenization_ernie_m import RELEASE_CLEANING, split_piece
from tests.ernie_m.tokenization_reference import differing, load, official_folder, plain_ids, write_config


@pytest.mark.parametrize(
    ("piece", "parts"),
    [
        ("▁", []),
        ("▁Hello", ["▁Hello"]),
        ("▁2024", ["2024"]),
        ("▁(", ["▁("]),
        ("▁《", ["《"]),
        ("▁《红", ["《", "红"]),
        ("▁中国", ["中", "国"]),
        ("a中b", ["a", "中", "b"]),
        ("▁v2.0", ["▁v", "2", ".", "0"]),
        ("...", [".", ".", "."]),
        ("~～", ["~", "～"]),
        ("①Ⅷ½一፩", ["①", "Ⅷ½", "一", "፩"]),  # isdigit: ① and ፩; not Ⅷ, not ½, not 一
        ("、「」（）㐀\uf900", ["、「」（）㐀\uf900"]),  # not in the list, not in U+4E00 to U+9FFF
        ("\u4e00\u9fff\ua000", ["\u4e00", "\u9fff", "\ua000"]),
        ("１２a", ["１２", "a"]),
    ],
)
def test_paddlenlp_splits(piece: str, parts: list[str]) -> None:
    assert split_piece(piece) == parts


@pytest.mark.parametrize("mark", ",;:.?!~，；：。？！《》【】")
def test_each_mark_stands_alone(mark: str) -> None:
    assert split_piece(f"a{mark}b") == ["a", mark, "b"]


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("“a” ‘b’ — c", "\"a\" 'b' - c"),
        ("a\tb\nc\rd\u00a0e\u3000f", "a b c d e f"),
        ("a\u200bb\u200dc\u00add\x00e\x85f\ufeffg", "abcdefg"),  # Cf and Cc go
        ("a\ue000b\u0378c", "a\ue000b\u0378c"),  # Co and Cn stay
    ],
)
def test_release_cleans(text: str, cleaned: str) -> None:
    assert text.translate(RELEASE_CLEANING) == cleaned


@pytest.fixture(scope="module")
def folder(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return official_folder(shared_data, tmp_path_factory.mktemp("official"))


@pytest.fixture(scope="module")
def release(folder: Path) -> Any:
    return load(folder, piece_rule="release")


def test_release_ids(release: Any, shared_data: Path) -> None:
    """5,219 texts with the ids that the release's rule gives them."""
    with np.load(shared_data / "release_tokens.npz") as file:
        texts = json.loads(bytes(file["texts"]).decode())
        ids, offsets = file["ids"].tolist(), file["offsets"].tolist()
    expected = [ids[start:end] for start, end in zip(offsets, offsets[1:])]
    assert len(texts) > 5_000
    assert differing(texts, plain_ids(release, texts), expected) == []
    tokens = [release.convert_tokens_to_ids(release.tokenize(text)) for text in texts]
    assert differing(texts, tokens, expected) == []
    located = [release(text, return_offsets_mapping=True)["input_ids"][1:-1] for text in texts]
    assert differing(texts, located, expected) == []


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("in 1917", ["▁in", "▁1917"]),
        ("中国2024年3月", ["▁中国", "20", "24", "年", "3", "月"]),
        ("In 2016, we", ["▁In", "▁2016", ",", "▁we"]),  # "▁2016," is a piece of sentencepiece
    ],
)
def test_release_keeps_pieces(release: Any, text: str, tokens: list[str]) -> None:
    assert release.tokenize(text) == tokens


def test_release_cuts_a_comma_off_a_number(release: Any) -> None:
    """What is before the comma is cut anew; the "▁" which that adds is taken off again where there was none."""
    assert release._split("▁2016,") == ["▁2016", ","]
    assert release._split("2016,") == ["2016", ","]
    assert release._split("豈1,") == ["豈", "1", ","]  # sentencepiece sets a bare "▁" in front, which goes
    assert [release._split(piece) for piece in (",", "a,", "1;", "▁,")] == [[","], ["a,"], ["1;"], ["▁,"]]


def test_many_texts_are_cleaned_too(release: Any) -> None:
    """A batch goes to sentencepiece as a whole; what has unknown characters is cut again, as a string."""
    text = "“a\u200d \U00020000"
    assert plain_ids(release, [text] * 100) == [release(text)["input_ids"][1:-1]] * 100
    assert release.tokenize(text) == ['▁"', "a", "▁", "\U00020000"]


def test_release_offsets(release: Any) -> None:
    """Removed characters count in the text as it was passed in; a bare "▁" has an empty span before what follows."""
    assert release.get_offset_mapping("\u200bin\u200b 19\u200d17") == [(1, 3), (5, 10)]
    assert release.tokenize("\U00020000") == ["▁", "\U00020000"]
    assert release.get_offset_mapping(" \U00020000") == [(1, 1), (1, 2)]


def test_the_rule_is_a_field_of_the_config(folder: Path, tmp_path: Path) -> None:
    """It is read from tokenizer_config.json, saved there, and may be overruled when loading."""
    folder = write_config(folder, piece_rule="release")
    tokenizer = load(folder)
    assert tokenizer.tokenize("in 1917") == ["▁in", "▁1917"]
    tokenizer.save_pretrained(str(tmp_path))
    assert json.loads((tmp_path / "tokenizer_config.json").read_text("utf-8"))["piece_rule"] == "release"
    assert load(tmp_path).tokenize("in 1917") == ["▁in", "▁1917"]
    assert load(tmp_path, piece_rule="paddlenlp").tokenize("in 1917") == ["▁in", "1917"]
    with pytest.raises(ValueError, match=r"piece_rule is 'xlmr'.*paddlenlp, release"):
        load(tmp_path, piece_rule="xlmr")
