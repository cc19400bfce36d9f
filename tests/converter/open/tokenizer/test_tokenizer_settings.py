"""Settings on which tokens depend are carried over, others are named in a warning, and a wrong value is refused."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from converter import convert
from converter.common.errors import SourceError
from converter.open.tokenizer.find_tokenizer import find_tokenizer
from converter.open.tokenizer.tokenizer_files import TokenizerFiles
from converter.open.tokenizer.vocabulary import MOST_TOKENS, count_pieces, read_vocabulary
from mappings import load_family
from tests.converter.open.tokenizer.test_tokenizer_files import MODEL, ONE_COLUMN, TWO_COLUMNS, write_tokenizer
from tests.support.checkpoints import make_config, write_folder


def find(folder: Path, table: dict[str, Any] | None = None, added: Any = None, **config: Any) -> TokenizerFiles:
    write_tokenizer(folder, **config)
    for name, data in (("special_tokens_map.json", table), ("added_tokens.json", added)):
        if data is not None:
            (folder / name).write_text(json.dumps(data))
    found = find_tokenizer(folder, load_family("ernie_m"))
    assert found is not None
    return found


def about_fields(found: TokenizerFiles) -> list[str]:
    return [warning for warning in found.warnings if "pieces" not in warning]


def test_sides_limit_and_names_reach_the_output(tmp_path: Path) -> None:
    source = write_tokenizer(
        write_folder(tmp_path / "in"),
        padding_side="left",
        truncation_side="left",
        model_max_length=5,
        model_input_names=["input_ids", "attention_mask"],
    )
    result = convert(source, tmp_path / "out")
    config = json.loads((tmp_path / "out" / "tokenizer_config.json").read_text())
    assert (config["padding_side"], config["truncation_side"], config["model_max_length"]) == ("left", "left", 5)
    assert config["model_input_names"] == ["input_ids", "attention_mask"]
    assert not [warning for warning in result.warnings if "model_max_length" in warning]


def test_a_limit_beyond_the_models_is_cut_with_a_warning(tmp_path: Path) -> None:
    source = write_tokenizer(write_folder(tmp_path / "in"), model_max_length=514)
    result = convert(source, tmp_path / "out")
    assert "model_max_length is 514, the model takes 8 tokens: 8 is written" in result.warnings
    assert json.loads((tmp_path / "out" / "tokenizer_config.json").read_text())["model_max_length"] == 8


@pytest.mark.parametrize(("value", "longest"), [(10**30, None), (None, None), (7, 7), (7.0, 7)])
def test_no_limit_is_a_very_large_number(tmp_path: Path, value: object, longest: int | None) -> None:
    assert find(tmp_path, model_max_length=value).settings.longest == longest


@pytest.mark.parametrize(
    ("form", "beside"),
    [
        ("[OPTION]", {}),
        ({"content": "[OPTION]", "lstrip": False, "rstrip": False}, {"[OPTION]": "none"}),
        ({"__type": "AddedToken", "content": "[OPTION]", "lstrip": True, "rstrip": False}, {"[OPTION]": "left"}),
        ({"content": "[OPTION]", "rstrip": True, "single_word": True}, {"[OPTION]": "right"}),
        ({"content": "[OPTION]", "lstrip": True, "rstrip": True}, {}),
    ],
)
@pytest.mark.parametrize("place", ["tokenizer_config.json", "special_tokens_map.json"])
def test_additional_special_tokens_get_paddlenlps_ids_and_keep_the_sides_they_strip(
    tmp_path: Path, form: object, beside: dict[str, str], place: str
) -> None:
    tokens = {"additional_special_tokens": [form, "▁a"]}
    found = find(tmp_path, **(tokens if place == "tokenizer_config.json" else {"table": tokens}))  # type: ignore[arg-type]
    # The sentencepiece model has two pieces, and PaddleNLP counts on from those; ▁a is in vocab.txt.
    assert dict(found.added_tokens) == {"[OPTION]": 2}
    assert found.settings.additional == ("[OPTION]", "▁a") and found.settings.strip_sides == beside


def test_special_tokens_without_an_id_follow_those_with_one_in_paddlenlps_order(tmp_path: Path) -> None:
    found = find(tmp_path, added={"<e>": 2}, bos_token="<s>", cls_token="<c>", additional_special_tokens=["[OPTION]"])
    assert dict(found.added_tokens) == {"<e>": 2, "<s>": 3, "<c>": 4, "[OPTION]": 5}


def test_transformers_added_tokens_decoder_is_read(tmp_path: Path) -> None:
    decoder = {"0": {"content": "[CLS]"}, "8": {"content": "[OPTION]"}, "9": {"content": "<e>"}}
    found = find(tmp_path, added_tokens_decoder=decoder, extra_special_tokens=["[OPTION]"])
    assert dict(found.added_tokens) == {"[OPTION]": 8, "<e>": 9}
    assert found.settings.additional == ("[OPTION]",)


def test_where_both_files_give_an_id_transformers_own_is_taken_with_a_warning(tmp_path: Path) -> None:
    found = find(tmp_path, added={"<e>": 8}, added_tokens_decoder={"9": {"content": "<e>"}})
    assert dict(found.added_tokens) == {"<e>": 9}
    assert "give ids that differ ('<e>' 8 and 9): the latter are taken" in "".join(found.warnings)


def test_ordinary_added_tokens_are_lowered_where_text_is(tmp_path: Path) -> None:
    found = find(tmp_path, added={"<E>": 2, "[OPTION]": 3}, do_lower_case=True, additional_special_tokens=["[OPTION]"])
    assert dict(found.added_tokens) == {"<e>": 2, "[OPTION]": 3}


def test_a_field_that_is_not_carried_over_is_named(tmp_path: Path) -> None:
    found = find(
        tmp_path,
        table={"my_token": "x"},
        chat_template="{{ x }}",
        split_special_tokens=True,
        sp_model_kwargs={},
        extra_special_tokens={},
        clean_up_tokenization_spaces=True,
        tokenizer_class="ErnieMTokenizer",
        name_or_path="me/mine",
    )
    assert about_fields(found) == [
        "tokenizer_config.json: not carried over, for PaddleNLP's tokenizer has no such field: chat_template, "
        "split_special_tokens",
        "special_tokens_map.json: not carried over, for PaddleNLP's tokenizer has no such field: my_token",
    ]


def test_a_vocabulary_that_lies_elsewhere_is_named(tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("x")
    found = find(tmp_path / "in", vocab_file=str(tmp_path / "other.txt"), sentencepiece_model_file="/nowhere/at/all")
    assert len(about_fields(found)) == 1 and "vocab_file names" in about_fields(found)[0]


@pytest.mark.parametrize(
    "config",
    [
        {"padding_side": "middle"},
        {"truncation_side": 3},
        {"model_max_length": 0},
        {"model_max_length": True},
        {"model_max_length": "512"},
        {"model_input_names": ["attention_mask"]},
        {"model_input_names": "input_ids"},
        {"additional_special_tokens": "[OPTION]"},
        {"additional_special_tokens": [3]},
        {"additional_special_tokens": [""]},
        {"unk_token": "no token of the vocabulary"},
        {"added_tokens_decoder": {"x": {"content": "<e>"}}},
        {"added_tokens_decoder": {"8": {"content": 5}}},
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(tmp_path: Path, config: dict[str, Any]) -> None:
    with pytest.raises(SourceError, match="E023"):
        find(tmp_path, **config)


def test_an_added_token_without_a_row_is_named_with_its_id(tmp_path: Path) -> None:
    source = write_tokenizer(write_folder(tmp_path / "in", config=make_config()))
    (source / "added_tokens.json").write_text('{"<in>": 29, "<out>": 30}')
    warnings = convert(source, tmp_path / "out").warnings
    said = [text for text in warnings if "no row" in text]
    assert len(said) == 1 and "'<out>' 30. The embedding has 30 rows, 0 to 29" in said[0] and "<in>" not in said[0]


def test_blank_last_lines_are_left_out_with_a_warning() -> None:
    for end in (b"\n", b"\n\n\n"):
        warnings: list[str] = []
        assert read_vocabulary(ONE_COLUMN + end, warnings) == (ONE_COLUMN, 8)
        assert "blank line" in warnings[0]
    windows = ONE_COLUMN.replace(b"\n", b"\r\n")
    assert read_vocabulary(windows + b"\r\n", []) == (windows, 8)


def test_line_ends_of_two_kinds_become_one() -> None:
    assert read_vocabulary(ONE_COLUMN.replace(b"\n", b"\r\n", 3), []) == (ONE_COLUMN, 8)
    with pytest.raises(SourceError, match="line 5 holds a carriage return"):
        read_vocabulary(ONE_COLUMN.replace("▁a".encode(), "▁a\rb".encode()), [])


def test_a_git_lfs_pointer_is_recognised() -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n"
    with pytest.raises(SourceError, match=r"E021.*vocab.txt is a git-LFS pointer.*git lfs pull"):
        read_vocabulary(pointer, [])
    with pytest.raises(SourceError, match=r"E022.*sentencepiece.bpe.model is a git-LFS pointer"):
        count_pieces(pointer)


def test_two_columns_of_which_one_line_has_three_are_refused() -> None:
    lines = TWO_COLUMNS.split(b"\n")
    lines[4:6] = [lines[4] + b"\t" + lines[5].split(b"\t")[0], lines[5].split(b"\t")[1]]
    with pytest.raises(SourceError, match="lines must all be"):
        read_vocabulary(b"\n".join(lines), [])


def within(seconds: float, call: Any, *arguments: Any) -> str:
    start = time.process_time()
    with pytest.raises(SourceError) as caught:
        call(*arguments)
    assert time.process_time() - start < seconds
    return str(caught.value)


def test_files_of_many_short_lines_or_fields_are_refused_quickly() -> None:
    """60 MB each: they took one to two minutes."""
    assert f"lines, expected at most {MOST_TOKENS}" in within(3, read_vocabulary, b"a\n" * 30_000_000, [])
    assert f"lines, expected at most {MOST_TOKENS}" in within(3, read_vocabulary, b"a\t1\n" * 15_000_000, [])
    assert "more than 1000 settings" in within(3, count_pieces, b"\x10\x01" * 30_000_000)
    assert f"more than {MOST_TOKENS} pieces" in within(5, count_pieces, b"\x0a\x01a" * 20_000_000)


def test_many_added_tokens_take_no_time(tmp_path: Path) -> None:
    added = {f"<{number}>": 2 + number for number in range(20_000)}
    (write_tokenizer(tmp_path) / "added_tokens.json").write_text(json.dumps(added | {"<last>": 20_001}))
    assert "'<19999>' shares its id 20001 with '<last>'" in within(3, find_tokenizer, tmp_path, load_family("ernie_m"))


def test_pieces_of_every_length_are_counted() -> None:
    long = b"\x0a\x81\x01" + b"x" * 129
    assert count_pieces(MODEL + long + MODEL + b"\x12\x02ab" + MODEL) == 7
