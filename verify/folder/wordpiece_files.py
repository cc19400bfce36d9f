"""tokenizer.json in OUTPUT against the one that follows from SOURCE, part by part, and files that must not be there.

Where SOURCE is not at hand, a trace has the checksum of its tokens and the settings of its tokenizer; the ids are then
compared with PaddleNLP's through every call.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from converter.common.errors import Paddle2TorchError, Problem
from converter.common.layout import (
    ADDED_TOKENS,
    MANIFEST,
    SPECIAL_TOKENS_MAP,
    TOKENIZER_CONFIG,
    TOKENIZER_JSON,
    VOCABULARY,
)
from converter.files.json_files import parse_json, read_json
from converter.files.regular_files import quoted, read_file
from converter.open.tokenizer.tokenizer_files import TokenizerFiles
from converter.open.tokenizer.tokenizer_settings import SPECIAL_TOKENS, TokenizerSettings, content
from converter.write.wordpiece_json import build_tokenizer_json
from verify.folder.expected_tokenizer import recorded_settings, settings_of
from verify.folder.tokenizer_files import check_tokenizer_fields
from verify.results.trace import Trace

#: A million tokens, as they are written.
_MOST_BYTES = 128 << 20
_LISTED = 5
#: transformers reads these next to tokenizer.json, and takes tokens from them.
_READ_TOO = (SPECIAL_TOKENS_MAP, ADDED_TOKENS)


def check_wordpiece_files(
    output: Path, source: TokenizerFiles | None, trace: Trace | None
) -> tuple[list[Problem], list[str]]:
    """What is wrong, and warnings. Nothing without a tokenizer.json."""
    if not (output / TOKENIZER_JSON).is_file():
        return [], []
    problems = [
        Problem("E419", f"{name}: `convert` writes no such file, and transformers takes tokens from it. Take it out")
        for name in _READ_TOO
        if (output / name).is_file() and not (name == SPECIAL_TOKENS_MAP and _was_saved_with_the_same(output))
    ]
    warnings = []
    if (output / VOCABULARY).is_file():
        warnings.append(f"{VOCABULARY} was not written by this tool: BertTokenizer makes BERT's tokens of it")
    try:
        found = parse_json(read_file(output / TOKENIZER_JSON, _MOST_BYTES), TOKENIZER_JSON)[0]
        config = read_json(output / TOKENIZER_CONFIG)[0] if (output / TOKENIZER_CONFIG).is_file() else {}
    except Paddle2TorchError as error:
        return [*problems, Problem("E419", f"cannot be relied on: {error.problems[0].text}")], warnings
    settings = settings_of(source) if source is not None else recorded_settings(trace)
    more, idle = check_tokenizer_fields(config, settings and {**settings, "strips": {}})
    problems += more
    if source is None and trace is not None and settings is not None:
        source, more = _from_trace(found, config, settings, trace)
        problems += more
    if source is not None:
        problems += compare_tokenizer_json(found, build_tokenizer_json(source))
    return problems, [*warnings, *idle]


def _was_saved_with_the_same(output: Path) -> bool:
    """Whether `save_pretrained` of transformers 4 wrote the table of special tokens, by which nothing changes: OUTPUT
    has no manifest, so `convert` did not write it, and the table has tokenizer_config.json's own tokens."""
    if (output / MANIFEST).exists():
        return False
    try:
        table, config = (read_json(output / name)[0] for name in (SPECIAL_TOKENS_MAP, TOKENIZER_CONFIG))
    except Paddle2TorchError:
        return False
    return all(_plain(value) == _plain(config.get(name)) for name, value in table.items())


def _plain(value: Any) -> Any:
    """A token, or a list of them, as text."""
    return [content(one) for one in value] if isinstance(value, list) else content(value)


def compare_tokenizer_json(found: Mapping[str, Any], expected: Mapping[str, Any]) -> list[Problem]:
    """A problem for each part that is another: the tokens by name, the rest by its place in the file."""
    tokens = [_tokens(found), _tokens(expected)]
    problems = _compare_tokens(*tokens) if tokens[0] != tokens[1] else []
    places = [place for place in {**expected, **found} if _text(found, place) != _text(expected, place)]
    for place in places:
        here, there = found.get(place), expected.get(place)
        if isinstance(here, dict) and isinstance(there, dict):
            parts = [f"{place}.{key}" for key in {**there, **here} if _text(here, key) != _text(there, key)]
        else:
            parts = [place]
        problems += [
            Problem("E419", f"{TOKENIZER_JSON}: {quoted(part, 60)[1:-1]} is not what follows from SOURCE")
            for part in parts
            if part != "model.vocab" or not problems
        ]
    return problems


def _tokens(data: Mapping[str, Any]) -> Mapping[str, Any]:
    model = data.get("model")
    tokens = model.get("vocab") if isinstance(model, dict) else None
    return tokens if isinstance(tokens, dict) else {}


def _compare_tokens(found: Mapping[str, Any], expected: Mapping[str, Any]) -> list[Problem]:
    odd = [token for token in {**expected, **found} if found.get(token) != expected.get(token)]
    shown = [
        f"{quoted(token, 40)} {found.get(token, 'is not there')!s:.40}, expected {expected.get(token, 'no such token')}"
        for token in odd[:_LISTED]
    ]
    more = f" and {len(odd) - _LISTED} more" if len(odd) > _LISTED else ""
    return [Problem("E419", f"{TOKENIZER_JSON}: {'; '.join(shown)}{more}")] if odd else []


def _text(data: Mapping[str, Any], key: str) -> str:
    """A part as text, in which 1, 1.0 and true differ."""
    return json.dumps(data[key], sort_keys=True) if key in data else ""


def _from_trace(
    found: Mapping[str, Any], config: Mapping[str, Any], settings: Mapping[str, Any], trace: Trace
) -> tuple[TokenizerFiles | None, list[Problem]]:
    """What SOURCE's tokenizer was, by OUTPUT's own tokens where their checksum is the trace's."""
    added = settings["added_tokens"]
    tokens = {token: number for token, number in _tokens(found).items() if token not in added}
    if not all(type(number) is int and 0 <= number < 1 << 24 for number in tokens.values()):
        return None, [Problem("E419", f"{TOKENIZER_JSON}: ids that are no whole numbers")]
    ordered = sorted(tokens, key=lambda token: tokens[token])
    digest = hashlib.sha256("\n".join(ordered).encode("utf-8", "surrogatepass")).hexdigest()
    if digest != trace.head["tokenizer"].get("vocabulary_sha256"):
        return None, [Problem("E419", f"{TOKENIZER_JSON} has other tokens than SOURCE's, by the trace's checksum")]
    lines = [""] * (max(tokens.values()) + 1)
    for token, number in tokens.items():
        lines[number] = token
    named = {role: config[role] for role in SPECIAL_TOKENS if isinstance(config.get(role), str)}
    others = tuple(token for token in settings["special_tokens"] if token not in named.values())
    if len(named) < 5 or not set(named.values()) <= set(settings["special_tokens"]):
        return None, [Problem("E419", f"{TOKENIZER_CONFIG}: other special tokens than SOURCE's")]
    made = TokenizerSettings(settings["do_lower_case"], named, others)
    text = ("\n".join(lines) + "\n").encode("utf-8", "surrogatepass")
    return TokenizerFiles(Path(), text, b"", len(lines), made, added, (), (VOCABULARY,)), []
