"""The tokenizer's files next to a checkpoint: taken byte for byte, checked, and refused with a reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from converter import convert
from converter.common.errors import PlanError, SourceError
from converter.open.tokenizer.find_tokenizer import find_tokenizer
from converter.open.tokenizer.vocabulary import read_vocabulary
from mappings import load_family
from tests.support.checkpoints import make_config, write_folder

TOKENS = ["[CLS]", "[PAD]", "[SEP]", "[UNK]", "▁a", "b\x85", "\x85", "[MASK]"]
ONE_COLUMN = "".join(f"{token}\n" for token in TOKENS).encode()
TWO_COLUMNS = "".join(f"{token}\t{number}\n" for number, token in enumerate(TOKENS)).encode()
#: Two pieces, as sentencepiece writes them: the text, and its score as a float.
MODEL = b"\x0a\x0a\x0a\x03<s>\x15\x00\x00\x00\x00" + b"\x0a\x08\x0a\x01a\x15\x00\x00\x80\xbf"


def write_tokenizer(folder: Path, vocabulary: bytes = ONE_COLUMN, **config: object) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "vocab.txt").write_bytes(vocabulary)
    (folder / "sentencepiece.bpe.model").write_bytes(MODEL)
    if config:
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


def test_both_files_travel_byte_for_byte_with_a_config_that_names_our_class(tmp_path: Path) -> None:
    source = write_tokenizer(write_folder(tmp_path / "in"), do_lower_case=True, tokenizer_class="ErnieMTokenizer")
    convert(source, tmp_path / "out")
    assert (tmp_path / "out" / "vocab.txt").read_bytes() == ONE_COLUMN
    assert (tmp_path / "out" / "sentencepiece.bpe.model").read_bytes() == MODEL
    config = json.loads((tmp_path / "out" / "tokenizer_config.json").read_text())
    assert config["tokenizer_class"] == "PaddleErnieMTokenizer"
    assert config["auto_map"] == {"AutoTokenizer": ["tokenization_ernie_m.PaddleErnieMTokenizer", None]}
    assert (config["do_lower_case"], config["piece_rule"], config["model_max_length"]) == (True, "paddlenlp", 8)
    manifest = json.loads((tmp_path / "out" / "paddle2torch.json").read_text())
    assert {"vocab.txt", "sentencepiece.bpe.model"} < set(manifest["files"])


def test_a_folder_may_be_named(tmp_path: Path) -> None:
    convert(write_folder(tmp_path / "in"), tmp_path / "out", tokenizer=write_tokenizer(tmp_path / "words"))
    assert (tmp_path / "out" / "vocab.txt").read_bytes() == ONE_COLUMN
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="neither vocab.txt nor"):
        convert(tmp_path / "in", tmp_path / "two", tokenizer=tmp_path / "empty")


def test_the_release_two_columns_become_one(tmp_path: Path) -> None:
    found = find_tokenizer(write_tokenizer(tmp_path, TWO_COLUMNS), load_family("ernie_m"))
    assert found is not None
    assert (found.vocabulary, found.rows) == (ONE_COLUMN, 8)
    assert "two columns" in found.warnings[0]


def test_none_of_the_files_is_none_and_half_is_an_error(tmp_path: Path) -> None:
    assert find_tokenizer(tmp_path, load_family("ernie_m")) is None
    (tmp_path / "vocab.txt").write_bytes(ONE_COLUMN)
    with pytest.raises(SourceError, match="vocab.txt is there without sentencepiece.bpe.model"):
        find_tokenizer(tmp_path, load_family("ernie_m"))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (ONE_COLUMN.replace(b"[UNK]", b"[UNQ]"), r"lacks \[UNK\]"),
        (ONE_COLUMN + b"[CLS]\n", "there twice"),
        (ONE_COLUMN.replace("▁a".encode(), b""), "line 5 is empty"),
        (b"\xef\xbb\xbf" + ONE_COLUMN, "byte-order mark"),
        (b"\xff" + ONE_COLUMN, "not UTF-8 at byte 0"),
        (TWO_COLUMNS.replace(b"\t3\n", b"\t9\n"), "line 4 has id '9', expected 3"),
        (ONE_COLUMN.replace(b"[CLS]", b"[CLS]\t0"), "lines must all be"),
        (TWO_COLUMNS.replace(b"\t0\n", b"\t0\t0\n"), "lines must all be"),
    ],
)
def test_a_wrong_vocabulary_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        read_vocabulary(data, [])


def test_windows_line_ends_are_read_and_u0085_does_not_end_a_line() -> None:
    data = ONE_COLUMN.replace(b"\n", b"\r\n")
    assert read_vocabulary(data, []) == (data, 8)


@pytest.mark.parametrize("data", [b"version https://git-lfs", MODEL[:-1], MODEL + b"\x0a", b"\x0a\x00"])
def test_what_is_no_whole_sentencepiece_model_is_refused(tmp_path: Path, data: bytes) -> None:
    write_tokenizer(tmp_path)
    (tmp_path / "sentencepiece.bpe.model").write_bytes(data)
    with pytest.raises(SourceError, match="E022"):
        find_tokenizer(tmp_path, load_family("ernie_m"))


@pytest.mark.parametrize("config", [{"do_lower_case": "yes"}, {"cls_token": 5}, {"pad_token": ""}])
def test_a_wrong_tokenizer_config_is_refused(tmp_path: Path, config: dict[str, object]) -> None:
    with pytest.raises(SourceError, match="E023"):
        find_tokenizer(write_tokenizer(tmp_path, **config), load_family("ernie_m"))


def test_more_tokens_than_rows_is_refused(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "in", config=make_config())
    tokens = TOKENS[:-1] + [f"w{number}" for number in range(40)] + ["[MASK]"]
    write_tokenizer(source, "".join(f"{token}\n" for token in tokens).encode())
    with pytest.raises(PlanError, match=r"error\[E025\]: .*vocab\.txt has 48 tokens, and the model 30 rows"):
        convert(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_added_tokens_travel(tmp_path: Path) -> None:
    source = write_tokenizer(write_folder(tmp_path / "in"))
    (source / "added_tokens.json").write_text('{"<new>": 8}')
    convert(source, tmp_path / "out")
    assert json.loads((tmp_path / "out" / "added_tokens.json").read_text()) == {"<new>": 8}
    (source / "added_tokens.json").write_text('{"<new>": "8"}')
    with pytest.raises(SourceError, match="no whole number"):
        find_tokenizer(source, load_family("ernie_m"))


def test_the_releases_sentencepiece_file_is_taken_by_its_name(tmp_path: Path) -> None:
    source = write_tokenizer(write_folder(tmp_path / "in"), TWO_COLUMNS)
    (source / "sentencepiece.bpe.model").rename(source / "piece.model")
    result = convert(source, tmp_path / "out")
    assert (tmp_path / "out" / "sentencepiece.bpe.model").read_bytes() == MODEL
    assert (tmp_path / "out" / "vocab.txt").read_bytes() == ONE_COLUMN
    assert result.behavior == "release"
    (source / "piece.model").write_bytes(MODEL[:-1])
    with pytest.raises(SourceError, match=r"E022.*piece\.model is damaged"):
        find_tokenizer(source, load_family("ernie_m"))


def test_of_two_sentencepiece_files_the_release_one_is_ignored_with_a_warning(tmp_path: Path) -> None:
    (write_tokenizer(tmp_path) / "piece.model").write_bytes(b"not looked at")
    found = find_tokenizer(tmp_path, load_family("ernie_m"))
    assert found is not None and found.names == ("vocab.txt", "sentencepiece.bpe.model")
    assert "ignored: piece.model" in found.warnings[0]


def test_more_tokens_than_pieces_are_warned_of_and_taken(tmp_path: Path) -> None:
    found = find_tokenizer(write_tokenizer(tmp_path), load_family("ernie_m"))
    assert found is not None and found.rows == 8
    assert found.warnings[0].startswith(
        "vocab.txt has 8 tokens, sentencepiece.bpe.model 2 pieces, for which 4 are usual"
    )


def test_special_tokens_map_wins_over_tokenizer_config_with_a_warning(tmp_path: Path) -> None:
    source = write_tokenizer(write_folder(tmp_path / "in"), cls_token="[CLS]", mask_token="▁a")
    (source / "special_tokens_map.json").write_text('{"mask_token": {"content": "[MASK]"}, "cls_token": "[CLS]"}')
    result = convert(source, tmp_path / "out")
    assert any("mask_token '▁a', special_tokens_map.json '[MASK]', which is taken" in said for said in result.warnings)
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        assert json.loads((tmp_path / "out" / name).read_text())["mask_token"] == "[MASK]"
    (source / "special_tokens_map.json").write_text('{"mask_token": 5}')
    with pytest.raises(SourceError, match=r"E023.*special_tokens_map\.json: mask_token is 5"):
        find_tokenizer(source, load_family("ernie_m"))


@pytest.mark.parametrize(
    ("added", "placed", "said"),
    [
        ({"<a>": 8, "<b>": 9}, {"<a>": 8, "<b>": 9}, None),  # transformers counts from the end of the vocabulary
        ({"<b>": 3, "<a>": 2}, {"<a>": 2, "<b>": 3}, None),  # PaddleNLP counts from the number of pieces
        ({"<a>": 8, "<b>": 12}, {"<a>": 8, "<b>": 12}, "2 tokens ids from 8 to 12, where PaddleNLP counts from 2 and"),
        ({"[MASK]": 7, "<a>": 8}, {"<a>": 8}, None),
        ({"[MASK]": 9}, {}, "other ids ('[MASK]' 9, in vocab.txt 7): vocab.txt's are taken"),
    ],
)
def test_added_tokens_keep_the_ids_that_the_file_gives_them(
    tmp_path: Path, added: dict[str, int], placed: dict[str, int], said: str | None
) -> None:
    (write_tokenizer(tmp_path) / "added_tokens.json").write_text(json.dumps(added))
    found = find_tokenizer(tmp_path, load_family("ernie_m"))
    assert found is not None and dict(found.added_tokens) == placed
    odd = [warning for warning in found.warnings if warning.startswith("added_tokens.json")]
    assert len(odd) == bool(said) and (said or "") in "".join(odd)


def test_two_added_tokens_with_one_id_are_refused(tmp_path: Path) -> None:
    (write_tokenizer(tmp_path) / "added_tokens.json").write_text('{"<a>": 8, "<b>": 8}')
    with pytest.raises(SourceError, match="E023.*'<a>' shares its id 8 with '<b>'"):
        find_tokenizer(tmp_path, load_family("ernie_m"))
