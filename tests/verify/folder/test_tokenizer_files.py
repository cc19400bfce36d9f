"""A tokenizer that is not SOURCE's is found as a file and as a field, whatever the texts show."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from converter import convert
from tests.converter.open.tokenizer.test_tokenizer_files import ONE_COLUMN, TWO_COLUMNS, write_tokenizer
from tests.support.checkpoints import write_folder
from verify import Report, verify
from verify.folder.tokenizer_files import judge_tokenizer
from verify.results.trace import Trace

SETTINGS = {"padding_side": "left", "additional_special_tokens": ["[OPTION]"], "model_max_length": 5}


@pytest.fixture
def converted(tmp_path: Path) -> tuple[Path, Path]:
    source = write_tokenizer(write_folder(tmp_path / "source"), **SETTINGS)
    (source / "added_tokens.json").write_text('{"<e1>": 2}')
    convert(source, tmp_path / "output")
    return source, tmp_path / "output"


def check(source: Path, output: Path) -> Report:
    """With the manifest's checksums made true again."""
    path = output / "paddle2torch.json"
    manifest = json.loads(path.read_text())
    for name in manifest["files"]:
        if (output / name).is_file():
            manifest["files"][name] = hashlib.sha256((output / name).read_bytes()).hexdigest()
    path.write_text(json.dumps(manifest))
    return verify(source, output, static_only=True)


def set_fields(output: Path, name: str, **fields: Any) -> None:
    data = json.loads((output / name).read_text()) if (output / name).is_file() else {}
    data.update(fields)
    (output / name).write_text(json.dumps({key: value for key, value in data.items() if value is not ...}))


def problems(report: Report) -> str:
    return "\n".join(map(str, report.problems))


def test_what_convert_wrote_passes(converted: tuple[Path, Path]) -> None:
    assert not check(*converted).problems


@pytest.mark.parametrize(
    ("file", "data", "said"),
    [
        ("vocab.txt", ONE_COLUMN.replace("▁a".encode(), "▁b".encode()), r"line 5 is '\u2581b', SOURCE has '\u2581a'"),
        ("vocab.txt", TWO_COLUMNS, r"vocab.txt: line 1 is '[CLS]\t0', SOURCE has '[CLS]'"),
        ("vocab.txt", ONE_COLUMN + b"more\n", "vocab.txt: line 9 is 'more', SOURCE has ''"),
        ("sentencepiece.bpe.model", b"\x0a\x0a\x0a\x03<s>\x15\x00\x00\x80\xbf", "they differ from byte 10 on"),
    ],
)
def test_another_file_is_named(converted: tuple[Path, Path], file: str, data: bytes, said: str) -> None:
    (converted[1] / file).write_bytes(data)
    report = check(*converted)
    assert {problem.code for problem in report.problems} == {"E419"} and said in problems(report)


@pytest.mark.parametrize(
    ("file", "fields", "said"),
    [
        ("tokenizer_config.json", {"padding": True}, "padding is True; `convert` writes no such field"),
        ("tokenizer_config.json", {"truncation": "longest_first"}, "truncation is 'longest_first'"),
        ("tokenizer_config.json", {"split_special_tokens": True}, "split_special_tokens is True"),
        ("tokenizer_config.json", {"do_lower_case": True}, "do_lower_case is True, expected False"),
        (
            "tokenizer_config.json",
            {"strip_sides": {"[CLS]": "none"}},
            "strip_sides is {'[CLS]': 'none'}, expected {}",
        ),
        ("tokenizer_config.json", {"additional_special_tokens": ["[OPTION]", "▁a"]}, "no special token of SOURCE's"),
        (
            "tokenizer_config.json",
            {"added_tokens_decoder": {"0": {"content": "[CLS]", "lstrip": True}}},
            "added_tokens_decoder gives the id 0 to {'content': '[CLS]', 'lstrip': True}",
        ),
        (
            "tokenizer_config.json",
            {"added_tokens_decoder": {"4": {"content": "<e1>"}}},
            "added_tokens_decoder gives the id 4 to {'content': '<e1>'}",
        ),
        ("special_tokens_map.json", {"padding_side": "right"}, "padding_side is no role of a special token"),
        ("special_tokens_map.json", {"mask_token": {"content": "[MASK]", "lstrip": True}}, "mask_token has options"),
        ("special_tokens_map.json", {"bos_token": "▁a"}, "bos_token is '▁a', no special token of SOURCE's"),
        ("added_tokens.json", {"<new>": 9}, "added_tokens.json: '<new>' 9, expected no such token"),
        ("added_tokens.json", {"<e1>": 4}, "added_tokens.json: '<e1>' 4, expected 2"),
        ("added_tokens.json", {"<e1>": ...}, "added_tokens.json: '<e1>' is not there, expected 2"),
        (
            "tokenizer.json",
            {"added_tokens": [{"id": 4, "content": "x"}]},
            "tokenizer.json was not written by this tool",
        ),
        ("tokenizer.json", {"model": {}}, "tokenizer.json was not written by this tool"),
    ],
)
def test_a_field_or_file_that_convert_did_not_write_fails(
    converted: tuple[Path, Path], file: str, fields: dict[str, Any], said: str
) -> None:
    set_fields(converted[1], file, **fields)
    report = check(*converted)
    assert said in problems(report)
    assert "E419" in {problem.code for problem in report.problems}


def test_a_carried_field_that_was_changed_fails(converted: tuple[Path, Path]) -> None:
    set_fields(converted[1], "tokenizer_config.json", padding_side="right", model_max_length=8)
    assert "padding_side is 'right', expected 'left'" in problems(check(*converted))
    assert "model_max_length is 8, expected 5" in problems(check(*converted))


def test_what_no_token_depends_on_is_warned_of(converted: tuple[Path, Path]) -> None:
    set_fields(converted[1], "tokenizer_config.json", name_or_path="x", chat_template="y", pad_token_type_id=3)
    set_fields(converted[1], "tokenizer.json", added_tokens=[])
    report = check(*converted)
    assert report.passed, report.problems
    assert (
        "tokenizer_config.json: not written by this tool, no token depends on it: name_or_path, chat_template, "
        "pad_token_type_id" in report.warnings
    )
    assert "tokenizer.json was not written by this tool; no token depends on it" in report.warnings


def test_a_key_that_is_there_twice_is_refused(converted: tuple[Path, Path]) -> None:
    path = converted[1] / "tokenizer_config.json"
    path.write_text(path.read_text().replace("{", '{"do_lower_case": false,', 1))
    assert "E419" in problems(check(*converted)) and "do_lower_case' is there twice" in problems(check(*converted))


def make_trace(source: Path, **settings: Any) -> Trace:
    """The part of a trace that speaks of the tokenizer's files."""
    names = ("vocab.txt", "sentencepiece.bpe.model")
    head = {
        "config": {"max_position_embeddings": 10},
        "tokenizer": {
            "files": {name: hashlib.sha256((source / name).read_bytes()).hexdigest() for name in names},
            "vocabulary_sha256": hashlib.sha256((source / "vocab.txt").read_bytes().rstrip(b"\n")).hexdigest(),
            **settings,
        },
    }
    return Trace(Path("trace"), head, ())


def test_a_trace_has_the_checksums_where_source_is_not_at_hand(converted: tuple[Path, Path]) -> None:
    source, output = converted
    trace = make_trace(source)
    assert judge_tokenizer(output, None, trace) == ([], [])
    (output / "vocab.txt").write_bytes(TWO_COLUMNS)
    assert "vocab.txt has two columns" in judge_tokenizer(output, None, trace)[0][0].text
    (output / "vocab.txt").write_bytes(ONE_COLUMN.replace("▁a".encode(), "▁b".encode()))
    assert "other tokens than SOURCE's" in judge_tokenizer(output, None, trace)[0][0].text
    shutil.copy(source / "vocab.txt", output / "vocab.txt")
    (output / "sentencepiece.bpe.model").write_bytes(b"\x0a\x03\x0a\x01a")
    assert "its checksum differs from the trace's" in judge_tokenizer(output, None, trace)[0][0].text


def test_a_trace_of_before_checksums_judges_no_file(converted: tuple[Path, Path]) -> None:
    output = converted[1]
    trace = Trace(Path("trace"), {"config": {"max_position_embeddings": 10}, "tokenizer": {"ways": []}}, ())
    (output / "vocab.txt").write_bytes(ONE_COLUMN.replace("▁a".encode(), "▁b".encode()))
    assert judge_tokenizer(output, None, trace) == ([], [])


@pytest.fixture(scope="module")
def left(
    make_checkpoint: Callable[..., None],
    tokenizer_folder: Path,
    verify_live: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Any:
    """A checkpoint with settings and added tokens of its own, numbered as transformers does, and verified."""
    source = tmp_path_factory.mktemp("left")
    make_checkpoint(source, "--seed", 4, tokenizer=tokenizer_folder)
    rows = len((source / "vocab.txt").read_text("utf-8").split("\n")) - 1
    set_fields(source, "tokenizer_config.json", padding_side="left", truncation_side="left", model_max_length=30)
    set_fields(source, "special_tokens_map.json", additional_special_tokens=["[OPTION]"])
    set_fields(source, "added_tokens.json", **{"[OPTION]": rows, "<e1>": rows + 1})
    return verify_live(source)


def test_tokens_are_compared_for_ids_that_paddlenlp_does_not_load(left: Any) -> None:
    assert left.report.passed, left.report.problems
    assert left.report.checked == ["weights", "numbers", "tokens"]
    assert any("given a copy in its own form" in note for note in left.report.reference["how"])


def test_the_field_or_token_that_differs_is_named(left: Any, copy_output: Callable[[Any], Path], ready: Any) -> None:
    output = copy_output(left)
    set_fields(output, "tokenizer_config.json", padding_side="right", model_max_length=...)
    set_fields(output, "added_tokens.json", **{"<e1>": 7})
    report = verify(None, output, trace=left.trace, start=ready, static=False)
    said = problems(report)
    assert "E403" in said and "padding_side: OUTPUT right, SOURCE left" in said
    assert "model_max_length: OUTPUT 1000000000000000019884624838656, SOURCE 30" in said
    assert "id of the added token '<e1>': OUTPUT 7, SOURCE " in said
    assert "padding_side is 'right', expected 'left'" in problems(verify(None, output, trace=left.trace, start=ready))
