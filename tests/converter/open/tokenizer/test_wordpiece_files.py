"""A BERT-like tokenizer next to a checkpoint: its lines, its settings, and what is refused with a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.common.errors import SourceError
from converter.open.tokenizer.find_tokenizer import find_tokenizer
from converter.open.tokenizer.vocabulary import MOST_TOKENS, list_tokens
from converter.open.tokenizer.wordpiece_files import read_lines
from mappings import load_family

ERNIE = load_family("ernie")
TOKENS = ["[PAD]", "[CLS]", "[SEP]", "[MASK]", "a", "##b", "$", "\u4e2d", "[UNK]"]
ONE_COLUMN = "".join(f"{token}\n" for token in TOKENS).encode()
TWO_COLUMNS = "".join(f"{token}\t{number}\n" for number, token in enumerate(TOKENS)).encode()


def write_vocabulary(folder: Path, vocabulary: bytes = ONE_COLUMN, **files: object) -> Path:
    """`files`: content of a JSON file by its name without the ending."""
    folder.mkdir(exist_ok=True)
    (folder / "vocab.txt").write_bytes(vocabulary)
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize("data", [ONE_COLUMN, TWO_COLUMNS, ONE_COLUMN.replace(b"\n", b"\r\n"), ONE_COLUMN[:-1]])
def test_every_form_gives_the_same_tokens(tmp_path: Path, data: bytes) -> None:
    found = find_tokenizer(write_vocabulary(tmp_path, data), ERNIE)
    assert found is not None
    assert (found.vocabulary, found.rows, found.names, found.added_tokens) == (ONE_COLUMN, 9, ("vocab.txt",), {})
    assert bool(found.warnings) is (data == TWO_COLUMNS)
    settings = found.settings
    assert (settings.do_lower_case, settings.longest) == (True, None)
    assert settings.input_names == ("input_ids", "token_type_ids", "attention_mask")


def test_no_vocabulary_is_no_tokenizer(tmp_path: Path) -> None:
    (tmp_path / "tokenizer_config.json").write_text("{}")
    assert find_tokenizer(tmp_path, ERNIE) is None


def test_of_a_token_that_is_there_twice_the_last_id_counts_and_blank_lines_keep_theirs(tmp_path: Path) -> None:
    found = find_tokenizer(write_vocabulary(tmp_path, b"$\n\n" + ONE_COLUMN), ERNIE)
    assert found is not None
    tokens = list_tokens(found.vocabulary)
    assert (tokens["$"], tokens["[PAD]"], tokens["[UNK]"], found.rows) == (8, 2, 10, 11)
    assert ["twice ('$' 0 and 8)" in found.warnings[0], "1 blank line:" in found.warnings[1]] == [True, True]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (ONE_COLUMN.replace(b"[CLS]\n", b""), r"lacks '\[CLS\]' \(cls_token\)"),
        (ONE_COLUMN.replace(b"[UNK]", b"x").replace(b"[PAD]", b"y"), r"lacks '\[UNK\]' .*, '\[PAD\]'"),
        (b"\xef\xbb\xbf" + ONE_COLUMN, "byte-order mark"),
        (b"\xff" + ONE_COLUMN, "not UTF-8 at byte 0"),
        (b"a\rb\n" + ONE_COLUMN, "line 1 holds a carriage return"),
        (b"a\t0\n" + ONE_COLUMN, "lines must all be"),
        (TWO_COLUMNS.replace(b"\t4", b"\t5"), "line 5 has id '5', expected 4"),
        (b"\n" * (MOST_TOKENS + 1), "lines, expected at most"),
        (b"\n" * MOST_TOKENS + b"x", "lines, expected at most"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git-LFS"),
        (b"", "has 0 bytes"),
    ],
)
def test_what_is_no_vocabulary_is_refused(tmp_path: Path, data: bytes, reason: str) -> None:
    with pytest.raises(SourceError, match=reason) as raised:
        find_tokenizer(write_vocabulary(tmp_path, data), ERNIE)
    assert raised.value.problems[0].code == "E021"


def test_settings_are_carried_over_and_other_fields_named(tmp_path: Path) -> None:
    config = {"do_lower_case": False, "model_max_length": 512, "padding_side": "left", "strip_accents": True}
    table = {"mask_token": "$", "additional_special_tokens": ["[NEW]"]}
    files = {"tokenizer_config": config, "special_tokens_map": table, "added_tokens": {"[NEW]": 9, "foo": 10}}
    found = find_tokenizer(write_vocabulary(tmp_path, **files), ERNIE)
    assert found is not None
    settings = found.settings
    assert (settings.do_lower_case, settings.longest, settings.padding_side) == (False, 512, "left")
    assert settings.special_tokens["mask_token"] == "$"
    assert found.added_tokens == {"[NEW]": 9, "foo": 10}
    assert any("strip_accents" in text for text in found.warnings)


def test_a_special_token_without_an_id_gets_the_one_that_paddlenlp_counts(tmp_path: Path) -> None:
    """The number of different tokens: with one that is there twice that is the id of the last line."""
    table = {"additional_special_tokens": ["[NEW]"]}
    found = find_tokenizer(write_vocabulary(tmp_path, b"$\n" + ONE_COLUMN, special_tokens_map=table), ERNIE)
    assert found is not None and found.added_tokens == {"[NEW]": 9} and found.rows == 10


@pytest.mark.parametrize(
    ("family", "usual", "other"),
    [
        ("ernie_health", {"strip_accents": None, "do_basic_tokenize": True}, {"do_basic_tokenize": False}),
        ("ernie_health", {"tokenize_chinese_chars": True, "never_split": None}, {"never_split": ["a"]}),
        ("skep", {"use_bpe_encoder": False, "need_token_type_id": True}, {"use_bpe_encoder": True}),
        ("skep", {"add_two_sep_token_inter": False}, {"add_two_sep_token_inter": True}),
    ],
)
def test_options_that_a_class_obeys_are_refused_with_another_value(
    family: str, usual: dict[str, Any], other: dict[str, Any], tmp_path: Path
) -> None:
    found = find_tokenizer(write_vocabulary(tmp_path, tokenizer_config=usual), load_family(family))
    assert found is not None and found.warnings == ()
    write_vocabulary(tmp_path, tokenizer_config=other)
    with pytest.raises(SourceError, match=f"{next(iter(other))} is .*, and only"):
        find_tokenizer(tmp_path, load_family(family))


def test_the_files_of_another_tokenizer_are_refused(tmp_path: Path) -> None:
    write_vocabulary(tmp_path)
    (tmp_path / "dict.wordseg.pickle").write_bytes(b"\x80\x04.")
    with pytest.raises(SourceError, match="ErnieTinyTokenizer") as raised:
        find_tokenizer(tmp_path, ERNIE)
    assert raised.value.problems[0].code == "E024"


LINES = st.lists(st.text(st.characters(exclude_characters="\n\r\t", exclude_categories=["Cs"])), min_size=1)


@given(LINES, st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_lines_are_read_as_they_were_written(lines: list[str], end: str, last: bool) -> None:
    data = (end.join(lines) + end * last).encode()
    if data.startswith(b"\xef\xbb\xbf"):
        return
    # Without an end of the last line a last blank one is none.
    expected = lines if last or lines[-1] or len(lines) == 1 else lines[:-1]
    assert read_lines(data, []) == expected


@given(st.binary())
def test_whatever_the_bytes_are_the_result_is_lines_or_a_reason(data: bytes) -> None:
    try:
        lines = read_lines(data, [])
    except SourceError as error:
        assert error.problems[0].code == "E021"
    else:
        assert data.decode().replace("\r\n", "\n").count("\n") <= len(lines)
