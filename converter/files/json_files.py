"""Strict reader for the JSON files of a checkpoint: what two parsers could read differently is refused."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

from converter.common.errors import FileError, file_error
from converter.files.regular_files import quoted, read_file, recognise

#: The index of a large model is under 100 kB; the parsed form takes up to 20 times the text.
MOST_BYTES = 8 << 20
_MOST_DIGITS = 64
#: The program of a static graph nests 20 deep.
_MOST_DEPTH = 200


def read_json(path: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The object in a JSON file, and warnings. Raises FileError."""
    return parse_json(read_file(path, MOST_BYTES), path.name)


def parse_json(data: bytes, file: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The object in the text of a JSON file, and warnings. `file` names it in messages. Raises FileError."""
    warnings: tuple[str, ...] = ()
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
        warnings = (f"{file} starts with a byte-order mark, which JSON must not have: ignored",)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refusal(file, "not UTF-8", data, error.start) from None
    value = _parse(text, data, file)
    if not isinstance(value, dict):
        raise _refusal(file, f"holds a {type(value).__name__}, expected an object", data)
    return value, warnings


def _parse(text: str, data: bytes, file: str) -> Any:
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_int=_integer,
            parse_float=_number,
        )
        _check_depth(value)
        if re.search(r"\\u[dD][89a-fA-F]", text):
            _check_surrogates(value)
    except json.JSONDecodeError as error:
        reason = f"not JSON: {error.msg} (line {error.lineno}, column {error.colno})"
        raise _refusal(file, reason, data) from None
    except RecursionError:
        raise _refusal(file, "nested too deeply", data) from None
    except _NotStrict as error:
        raise _refusal(file, str(error), data) from None
    return value


class _NotStrict(Exception):
    """A value that JSON or this tool does not allow."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _NotStrict(f"the key {quoted(key)} is there twice")
            seen.add(key)
    return found


def _constant(name: str) -> Any:
    raise _NotStrict(f"holds {name}, which is not JSON")


def _integer(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise _NotStrict(f"holds a number of {len(digits)} digits")
    return int(digits)


def _number(digits: str) -> float:
    value = float(digits) if len(digits) <= 1000 else math.inf
    if math.isinf(value):
        raise _NotStrict(f"holds the number {quoted(digits, 30)}, which no float can hold")
    return value


def _check_depth(value: Any) -> None:
    """Refuse deep nesting: a value nearly as deep as the parser allows could not be shown in a message."""
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(_MOST_DEPTH):
        inner = [item.values() if isinstance(item, dict) else item for item in level]
        level = [item for items in inner for item in items if isinstance(item, (dict, list))] if level else []
    if level:
        raise _NotStrict(f"nested more than {_MOST_DEPTH} deep")


def _check_surrogates(value: Any) -> None:
    """Refuse lone surrogates (`\\ud800`), which can be neither printed nor written as UTF-8."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise _NotStrict(f"the text {quoted(value)} holds half a character") from None
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_surrogates(key)
            _check_surrogates(item)
    elif isinstance(value, list):
        for item in value:
            _check_surrogates(item)


def _refusal(file: str, reason: str, data: bytes, offset: int | None = None) -> FileError:
    foreign = recognise(data[:512], len(data))
    if foreign is not None and "JSON" not in foreign:
        return file_error("E304", file, f"is {foreign}")
    if not data.strip():
        reason = "the file is empty. Is the download complete?"
    return file_error("E307", file, reason, offset=offset)
