"""The tokenizer's files in OUTPUT against SOURCE's, as files, and every field that `convert` did not write.

Texts show what a tokenizer does with those texts; a rare piece, or two scores, can be others without any of them
showing it. Where SOURCE is not at hand a trace has the checksums of its files and the settings of its tokenizer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from converter.common.errors import Paddle2TorchError, Problem
from converter.common.layout import ADDED_TOKENS as ADDED
from converter.common.layout import SENTENCEPIECE as MODEL
from converter.common.layout import SPECIAL_TOKENS_MAP as TABLE
from converter.common.layout import VOCABULARY
from converter.files.json_files import read_json
from converter.files.regular_files import quoted
from converter.open.tokenizer.tokenizer_settings import ADDITIONAL, DECODER, EXTRA, SPECIAL_TOKENS, content
from mappings.quirks import TOKENIZER_CONFIG
from mappings.registry import all_families
from verify.folder.expected_tokenizer import recorded_settings, settings_of
from verify.results.trace import Trace

if TYPE_CHECKING:
    from converter.open.tokenizer.tokenizer_files import TokenizerFiles

#: Of a tokenizer of the kind "sentencepiece with vocabulary".
_MODELS = (MODEL, "piece.model")
#: Written by `convert`, or checked by verify.folder.check_fields.
_CHECKED = {
    *SPECIAL_TOKENS,
    *("tokenizer_class", "auto_map", "do_lower_case", "model_max_length", "padding_side"),
    *("truncation_side", "model_input_names", "clean_up_tokenization_spaces", ADDITIONAL, "strip_sides"),
    *(quirk.field for family in all_families() for quirk in family.quirks if quirk.file == TOKENIZER_CONFIG),
}
#: What transformers writes or reads and no token depends on.
_IDLE = {
    *("name_or_path", "tokenizer_file", "chat_template", "pad_token_type_id", "processor_class", "verbose"),
    *("special_tokens_map_file", "transformers_version", "backend", "is_local", "local_files_only"),
}
_OPTIONS = ("lstrip", "rstrip", "single_word")


def check_tokenizer_files(
    output: Path, source: TokenizerFiles | None, trace: Trace | None
) -> tuple[list[Problem], list[str]]:
    """What is wrong, and warnings. Without SOURCE's tokenizer and without settings in a trace only what `convert`
    never writes is named."""
    if not (output / VOCABULARY).is_file():
        return [], []
    settings = settings_of(source) if source is not None else recorded_settings(trace)
    problems = _check_bytes(output, source, trace)
    warnings: list[str] = []
    tables: dict[str, dict[str, Any]] = {}
    for name in (TOKENIZER_CONFIG, TABLE, ADDED):
        try:
            tables[name] = read_json(output / name)[0] if (output / name).is_file() else {}
        except Paddle2TorchError as error:
            problems.append(Problem("E419", f"{name} cannot be relied on: {error.problems[0].text}"))
    if len(tables) == 3:
        more, warnings = check_tokenizer_fields(tables[TOKENIZER_CONFIG], settings)
        problems += more + _check_table(tables[TABLE], settings)
        problems += _check_added(tables[ADDED], tables[TOKENIZER_CONFIG], settings)
    return problems + _check_neighbours(output, warnings), warnings


def _check_bytes(output: Path, source: TokenizerFiles | None, trace: Trace | None) -> list[Problem]:
    problems = []
    vocabulary = (output / VOCABULARY).read_bytes()
    model = (output / MODEL).read_bytes() if (output / MODEL).is_file() else b""
    recorded = ((trace.head.get("tokenizer") or {}) if trace is not None else {}).get("files")
    if source is not None:
        if vocabulary != source.vocabulary:
            problems.append(Problem("E419", f"{VOCABULARY}: {_first_line(vocabulary, source.vocabulary)}"))
        if model != source.sentencepiece:
            at = next((n for n, pair in enumerate(zip(model, source.sentencepiece)) if pair[0] != pair[1]), len(model))
            problems.append(Problem("E419", f"{MODEL} is not SOURCE's: they differ from byte {at} on"))
    elif trace is not None and recorded:
        theirs = next((recorded[name] for name in _MODELS if name in recorded), None)
        if theirs != hashlib.sha256(model).hexdigest():
            problems.append(Problem("E419", f"{MODEL} is not SOURCE's: its checksum differs from the trace's"))
        if b"\t" in vocabulary:
            problems.append(Problem("E419", f"{VOCABULARY} has two columns, `convert` writes one"))
        elif trace.head["tokenizer"].get("vocabulary_sha256") != _checksum_of_tokens(vocabulary):
            problems.append(Problem("E419", f"{VOCABULARY} has other tokens than SOURCE's, by the trace's checksum"))
    return problems


def _first_line(found: bytes, expected: bytes) -> str:
    pairs = enumerate(zip(found.split(b"\n"), expected.split(b"\n")), 1)
    for number, (one, other) in pairs:
        if one != other:
            texts = [quoted(line.decode("utf-8", "replace"), 40) for line in (one, other)]
            return f"line {number} is {texts[0]}, SOURCE has {texts[1]}"
    lines = [data.count(b"\n") for data in (found, expected)]
    return f"it has {lines[0]} lines, SOURCE's has {lines[1]}"


def _checksum_of_tokens(vocabulary: bytes) -> str:
    return hashlib.sha256(vocabulary.replace(b"\r\n", b"\n").rstrip(b"\n")).hexdigest()


def check_tokenizer_fields(
    config: Mapping[str, Any], settings: Mapping[str, Any] | None
) -> tuple[list[Problem], list[str]]:
    """Fields of tokenizer_config.json that `convert` does not write or writes otherwise, and warnings of those that
    decide nothing."""
    problems, idle = [], []
    for name, value in config.items():
        if name in _CHECKED or name in (DECODER, EXTRA) or value is None:
            continue
        if name in _IDLE:
            idle.append(name)
        elif name != "split_special_tokens" or value is not False:
            found = f"{TOKENIZER_CONFIG}: {quoted(name, 40)[1:-1]} is {value!r:.60}"
            text = f"{found}; `convert` writes no such field. Take it out"
            problems.append(Problem("E419", text))
    if settings is not None:
        extra = [content(token) for name in (ADDITIONAL, EXTRA) for token in _listed(config.get(name))]
        unknown = [token for token in extra if token not in settings["special_tokens"]]
        if unknown:
            shown = ", ".join(quoted(str(token), 40) for token in unknown[:5])
            problems.append(Problem("E419", f"{TOKENIZER_CONFIG}: {shown}: no special token of SOURCE's"))
        for name, expected in (("do_lower_case", settings["do_lower_case"]), ("strip_sides", settings["strips"])):
            if config.get(name, type(expected)()) != expected:
                text = f"{TOKENIZER_CONFIG}: {name} is {config.get(name)!r:.80}, expected {expected!r:.80}"
                problems.append(Problem("E419", text))
    names = ", ".join(idle)
    return problems, [f"{TOKENIZER_CONFIG}: not written by this tool, no token depends on it: {names}"] if idle else []


def _listed(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, Mapping) else value if isinstance(value, list) else []


def _check_table(table: Mapping[str, Any], settings: Mapping[str, Any] | None) -> list[Problem]:
    """transformers takes every entry of special_tokens_map.json for an argument of the tokenizer."""
    problems = []
    for name, value in table.items():
        tokens = _listed(value) if name in (ADDITIONAL, EXTRA) else [value]
        if name not in SPECIAL_TOKENS and name not in (ADDITIONAL, EXTRA):
            problems.append(Problem("E419", f"{TABLE}: {quoted(name, 40)[1:-1]} is no role of a special token"))
        elif settings is not None and any(content(token) not in settings["special_tokens"] for token in tokens):
            problems.append(Problem("E419", f"{TABLE}: {name} is {value!r:.60}, no special token of SOURCE's"))
        elif any(isinstance(token, Mapping) and any(map(token.get, _OPTIONS)) for token in tokens):
            problems.append(
                Problem("E419", f"{TABLE}: {name} has options that `convert` does not write: {value!r:.80}")
            )
    return problems


def _check_added(
    added: Mapping[str, Any], config: Mapping[str, Any], settings: Mapping[str, Any] | None
) -> list[Problem]:
    """Ids of added tokens. added_tokens_decoder, which transformers writes, takes the place of added_tokens.json."""
    decoder = config.get(DECODER) or {}
    problems = []
    expected = dict(added) if settings is None else settings["added_tokens"]
    keys = [key for key in {**expected, **added} if added.get(key) != expected.get(key)]
    if keys:
        shown = [
            f"{quoted(key, 40)} {added.get(key, 'is not there')}, expected {expected.get(key, 'no such token')}"
            for key in keys[:5]
        ]
        more = f" and {len(keys) - 5} more" if len(keys) > 5 else ""
        problems.append(Problem("E419", f"{ADDED}: {'; '.join(shown)}{more}"))
    if not isinstance(decoder, Mapping):
        return [*problems, Problem("E419", f"{TOKENIZER_CONFIG}: {DECODER} is {decoder!r:.60}, expected a table")]
    known = set(settings["special_tokens"]) | set(added) if settings is not None else None
    for key, entry in decoder.items():
        options = isinstance(entry, Mapping) and any(map(entry.get, _OPTIONS))
        token = content(entry)
        foreign = known is not None and token not in known
        moved = token in added and str(added[token]) != key
        if options or foreign or moved:
            problems.append(Problem("E419", f"{TOKENIZER_CONFIG}: {DECODER} gives the id {key:.20} to {entry!r:.100}"))
    return problems[:20]


def _check_neighbours(output: Path, warnings: list[str]) -> list[Problem]:
    """transformers takes the added tokens of a tokenizer.json for this tokenizer's; the rest of it is not read."""
    for name in ("chat_template.json", "chat_template.jinja"):
        if (output / name).is_file():
            warnings.append(f"{name} was not written by this tool; no token depends on it")
    if not (output / "tokenizer.json").is_file():
        return []
    try:
        added = read_json(output / "tokenizer.json")[0].get("added_tokens")
    except Paddle2TorchError as error:
        return [Problem("E419", f"tokenizer.json was not written by this tool: {error.problems[0].text}. Take it out")]
    if added != []:
        text = (
            "tokenizer.json was not written by this tool, and transformers takes its added tokens for this tokenizer's"
        )
        return [Problem("E419", f"{text}. Take it out")]
    warnings.append("tokenizer.json was not written by this tool; no token depends on it")
    return []
