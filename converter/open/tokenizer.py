"""The tokenizer's files beside a checkpoint: which they are, and whether they are what they should be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from converter.errors import Problem, SourceError
from converter.open.files import is_file
from converter.open.json_files import read_json
from converter.open.protobuf import WireError, walk_fields

VOCABULARY = "vocab.txt"
SENTENCEPIECE = "sentencepiece.bpe.model"
SPECIAL_TOKENS = {
    "unk_token": "[UNK]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
}
_MOST_BYTES = 64 << 20
_PIECE = 1


@dataclass(frozen=True)
class TokenizerFiles:
    """The two files that decide tokens, as bytes, and what the configuration beside them says.

    `vocabulary` has one token a line, whichever form the file had. `rows` is the number of tokens.
    """

    folder: Path
    vocabulary: bytes
    sentencepiece: bytes
    rows: int
    do_lower_case: bool
    special_tokens: Mapping[str, str]
    added_tokens: Mapping[str, int]
    warnings: tuple[str, ...] = ()


def find_tokenizer(folder: Path) -> TokenizerFiles | None:
    """The tokenizer in a folder, or None when neither file is there. Raises SourceError for half of one."""
    here = [name for name in (VOCABULARY, SENTENCEPIECE) if is_file(folder / name)]
    if not here:
        return None
    if len(here) == 1:
        other = SENTENCEPIECE if here[0] == VOCABULARY else VOCABULARY
        raise SourceError(
            Problem(
                "E020", f"{here[0]} is there without {other}: the tokenizer needs both. Name a folder with --tokenizer"
            )
        )
    warnings: list[str] = []
    vocabulary, rows = read_vocabulary(_read(folder / VOCABULARY), warnings)
    config = _optional_json(folder / "tokenizer_config.json", warnings)
    return TokenizerFiles(
        folder,
        vocabulary,
        _checked_sentencepiece(_read(folder / SENTENCEPIECE)),
        rows,
        _lower_case(config),
        _special_tokens(config),
        _added_tokens(_optional_json(folder / "added_tokens.json", warnings)),
        tuple(warnings),
    )


def _read(path: Path) -> bytes:
    size = path.stat().st_size
    if not 0 < size <= _MOST_BYTES:
        raise SourceError(Problem("E021", f"{path.name} has {size} bytes, expected 1 to {_MOST_BYTES}"))
    return path.read_bytes()


def read_vocabulary(data: bytes, warnings: list[str]) -> tuple[bytes, int]:
    """One token a line, from either form of the file (one column, or token TAB id in order), and the number of tokens.

    Lines end with LF, or CR LF: token 97636 of the real vocabulary is U+0085, which other line rules would cut.
    Raises SourceError.
    """

    def refuse(reason: str) -> SourceError:
        return SourceError(Problem("E021", f"{VOCABULARY}: {reason}. Is it ERNIE-M's vocabulary?"))

    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise refuse(f"not UTF-8 at byte {error.start}") from None
    if text.startswith("\ufeff"):
        raise refuse("starts with a byte-order mark, which would become part of the first token")
    lines = [line[:-1] if line.endswith("\r") else line for line in text.split("\n")]
    if lines[-1] == "":
        lines.pop()
    columns = {line.count("\t") for line in lines}
    if columns == {1}:
        pairs = [line.split("\t") for line in lines]
        wrong = next((n for n, (_, number) in enumerate(pairs) if number != str(n)), None)
        if wrong is not None:
            raise refuse(f"line {wrong + 1} has id {pairs[wrong][1]!r:.40}, expected {wrong}")
        lines = [token for token, _ in pairs]
        warnings.append(f"{VOCABULARY} has two columns, as the 2021 release: the tokens are kept, in one column")
    elif columns != {0}:
        raise refuse("lines must all be a token, or all a token, TAB and its id")
    _check_tokens(lines, refuse)
    written = data if columns == {0} else "".join(line + "\n" for line in lines).encode()
    return written, len(lines)


def _check_tokens(lines: list[str], refuse: Any) -> None:
    empty = next((number for number, line in enumerate(lines, 1) if line == ""), None)
    if empty is not None:
        raise refuse(f"line {empty} is empty")
    if len(set(lines)) != len(lines):
        seen: set[str] = set()
        twice = next(line for line in lines if line in seen or seen.add(line))  # type: ignore[func-returns-value]
        raise refuse(f"the token {twice!r:.40} is there twice")
    missing = [token for token in SPECIAL_TOKENS.values() if token not in set(lines)]
    if missing:
        raise refuse(f"lacks {', '.join(missing)}")


def _checked_sentencepiece(data: bytes) -> bytes:
    """A sentencepiece model is a protobuf of pieces (field 1) and settings, walked to its end."""
    try:
        for field in walk_fields(memoryview(data)):
            if field.number == _PIECE and not field.value:
                raise WireError(field.offset, "an empty piece")
    except WireError as error:
        raise SourceError(
            Problem("E022", f"{SENTENCEPIECE} is damaged, or not a sentencepiece model ({error}). Download it again?")
        ) from None
    return data


def _optional_json(path: Path, warnings: list[str]) -> Mapping[str, Any]:
    if not is_file(path):
        return {}
    data, odd = read_json(path)
    warnings += odd
    return data


def _lower_case(config: Mapping[str, Any]) -> bool:
    value = config.get("do_lower_case", False)
    if not isinstance(value, bool):
        raise SourceError(
            Problem("E023", f"tokenizer_config.json: do_lower_case is {value!r:.40}, expected true or false")
        )
    return value


def _special_tokens(config: Mapping[str, Any]) -> Mapping[str, str]:
    tokens = {}
    for name, usual in SPECIAL_TOKENS.items():
        value = config.get(name, usual)
        text = value.get("content") if isinstance(value, Mapping) else value
        if not isinstance(text, str) or not text:
            raise SourceError(Problem("E023", f"tokenizer_config.json: {name} is {value!r:.60}, expected a token"))
        tokens[name] = text
    return tokens


def _added_tokens(data: Mapping[str, Any]) -> Mapping[str, int]:
    wrong = {token: number for token, number in data.items() if type(number) is not int or number < 0}
    if wrong:
        raise SourceError(Problem("E023", f"added_tokens.json: {next(iter(wrong))!r} has no whole number as its id"))
    return dict(data)
