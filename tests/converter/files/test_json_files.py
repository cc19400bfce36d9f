"""JSON is read strictly: what two parsers could read in two ways is refused."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from converter.common.errors import FileError
from converter.files.json_files import MOST_BYTES, parse_json, read_json

REFUSED = {
    "a key twice": (b'{"a": 1, "a": 1}', "the key 'a' is there twice"),
    "a key twice, inside": (b'{"x": [{"a": 1, "\\u0061": 2}]}', "the key 'a' is there twice"),
    "NaN": (b'{"a": NaN}', "holds NaN"),
    "Infinity": (b'{"a": -Infinity}', "holds -Infinity"),
    "a number without a float": (b'{"a": 1e999}', "which no float can hold"),
    "a number of 5000 digits": (b'{"a": ' + b"1" * 5000 + b"}", "a number of 5000 digits"),
    "a list": (b"[1]", "holds a list, expected an object"),
    "a text": (b'"a"', "holds a str, expected an object"),
    "null": (b"null", "expected an object"),
    "brackets without end": (b"[" * 1_000_000, "nested too deeply"),
    "objects without end": (b'{"a":' * 300_000, "nested too deeply"),
    "a list of lists of lists": (b'{"a": ' + b"[" * 300 + b"]" * 300 + b"}", "nested more than 200 deep"),
    "objects and lists in turn": (b'{"a": [' * 150 + b"]}" * 150, "nested more than 200 deep"),
    "cut": (b'{"a": 1', "line 1, column 8"),
    "two objects": (b"{} {}", "Extra data"),
    "a comment": (b"{} // x", "Extra data"),
    "a comma too many": (b'{"a": 1,}', "not JSON"),
    "a tab in a text": (b'{"a": "\t"}', "Invalid control character"),
    "not UTF-8": (b'{"a": "\xff"}', r"\(byte 7\): not UTF-8"),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), "not UTF-8"),
    "half a character": (b'{"a": ["\\ud800"]}', "half a character"),
    "half a character in a key": (b'{"\\udfff": 1}', "half a character"),
    "empty": (b"", "the file is empty"),
    "blank": (b" \n", "the file is empty"),
    "a git-LFS pointer": (b"version https://git-lfs.github.com/spec/v1\n", "a git-LFS pointer"),
    "a web page": (b"<!doctype html>", "a web page"),
    "too large": (b'{"a": "' + b" " * MOST_BYTES + b'"}', "larger than 8 MiB"),
}


@pytest.mark.parametrize("idea", REFUSED)
def test_what_is_not_strict_json(idea: str, tmp_path: Path) -> None:
    data, said = REFUSED[idea]
    (tmp_path / "config.json").write_bytes(data)
    started = time.process_time()
    with pytest.raises(FileError, match=rf"E30[347]\]: config\.json.*{said}"):
        read_json(tmp_path / "config.json")
    assert time.process_time() - started < 30


def test_an_object_as_it_is() -> None:
    data = '{"a": [1, 2.5, true, null, {"é\\u00e9\\ud83d\\ude00": "x"}]}'.encode()
    assert parse_json(data, "x.json") == ({"a": [1, 2.5, True, None, {"éé😀": "x"}]}, ())


def test_what_is_nested_as_a_program_is_read() -> None:
    text = b'{"a": [' * 90 + b"]}" * 90
    assert parse_json(text, "x.json")[1] == ()


def test_a_byte_order_mark_is_odd_but_usable() -> None:
    found, warnings = parse_json(b'\xef\xbb\xbf{"a": 1}', "x.json")
    assert found == {"a": 1} and ["byte-order mark" in warning for warning in warnings] == [True]
