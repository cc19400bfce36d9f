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
from converter.open.tokenizer_names import SENTENCEPIECE, VOCABULARY, choose_files

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

    `vocabulary` has one token a line, whichever form the file had. `rows` is the number of tokens. `added_tokens` have
    the ids that OUTPUT gives them. `names` are the files' own: the release calls its sentencepiece model piece.model.
    """

    folder: Path
    vocabulary: bytes
    sentencepiece: bytes
    rows: int
    do_lower_case: bool
    special_tokens: Mapping[str, str]
    added_tokens: Mapping[str, int]
    warnings: tuple[str, ...] = ()
    names: tuple[str, ...] = (VOCABULARY, SENTENCEPIECE)


def find_tokenizer(folder: Path) -> TokenizerFiles | None:
    """The tokenizer in a folder, or None when it is not there. Raises SourceError for half of one."""
    warnings: list[str] = []
    names = choose_files(folder, warnings)
    if names is None:
        return None
    vocabulary, rows = read_vocabulary(_read(folder / names[0]), warnings)
    model = _read(folder / names[1])
    pieces = count_pieces(model, names[1])
    if rows > pieces + 2:
        warnings.append(
            f"{VOCABULARY} has {rows} tokens, {names[1]} {pieces} pieces, for which {pieces + 2} are usual: both are "
            "taken as they are, as PaddleNLP does. Is one of them another model's?"
        )
    config = _optional_json(folder / "tokenizer_config.json", warnings)
    special = read_special_tokens(config, _optional_json(folder / "special_tokens_map.json", warnings), warnings)
    added = _added_tokens(_optional_json(folder / "added_tokens.json", warnings))
    placed = place_added_tokens(added, vocabulary, rows, warnings)
    return TokenizerFiles(folder, vocabulary, model, rows, _lower_case(config), special, placed, tuple(warnings), names)


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


def count_pieces(data: bytes, name: str = SENTENCEPIECE) -> int:
    """The number of pieces of a sentencepiece model: a protobuf of pieces (field 1) and settings, walked to its end.

    Raises SourceError.
    """
    count = 0
    try:
        for field in walk_fields(memoryview(data)):
            count += field.number == _PIECE
            if field.number == _PIECE and not field.value:
                raise WireError(field.offset, "an empty piece")
    except WireError as error:
        raise SourceError(
            Problem("E022", f"{name} is damaged, or not a sentencepiece model ({error}). Download it again?")
        ) from None
    return count


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


def read_special_tokens(config: Mapping[str, Any], table: Mapping[str, Any], warnings: list[str]) -> Mapping[str, str]:
    """The five tokens by role. special_tokens_map.json wins over tokenizer_config.json, as in PaddleNLP.

    Raises SourceError for what is no token.
    """
    tokens = {}
    for name, usual in SPECIAL_TOKENS.items():
        said = _token(config, name, "tokenizer_config.json")
        mapped = _token(table, name, "special_tokens_map.json")
        if said is not None and mapped is not None and said != mapped:
            warnings.append(
                f"tokenizer_config.json says {name} {said!r:.60}, special_tokens_map.json {mapped!r:.60}, "
                "which is taken, as in PaddleNLP"
            )
        tokens[name] = mapped or said or usual
    return tokens


def _token(data: Mapping[str, Any], name: str, file: str) -> str | None:
    value = data.get(name)
    text = value.get("content") if isinstance(value, Mapping) else value
    if value is None or (isinstance(text, str) and text):
        return text
    raise SourceError(Problem("E023", f"{file}: {name} is {value!r:.60}, expected a token"))


def _added_tokens(data: Mapping[str, Any]) -> Mapping[str, int]:
    wrong = {token: number for token, number in data.items() if type(number) is not int or number < 0}
    if wrong:
        text = f"added_tokens.json: {next(iter(wrong))!r:.80} has no whole number as its id"
        raise SourceError(Problem("E023", text))
    return dict(data)


def place_added_tokens(
    added: Mapping[str, int], vocabulary: bytes, rows: int, warnings: list[str]
) -> Mapping[str, int]:
    """Added tokens with the ids that OUTPUT gives them: from the end of the vocabulary on, in the order of their ids.

    PaddleNLP counts the pieces instead, so its first added token gets an id inside the vocabulary, 250000, which is
    another token's already (TOKENIZER.md, section 2). Raises SourceError when two have one id.
    """
    if not added:
        return {}
    if len(set(added.values())) != len(added):
        twice = next(token for token, number in added.items() if list(added.values()).count(number) > 1)
        raise SourceError(Problem("E023", f"added_tokens.json: {twice!r:.60} shares its id with another token"))
    known = {token: number for number, token in enumerate(vocabulary.decode().replace("\r\n", "\n").split("\n"))}
    new = [token for token in sorted(added, key=added.__getitem__) if token not in known]
    placed = {token: rows + number for number, token in enumerate(new)}
    ours = {**known, **placed}
    moved = [f"{token!r:.40} {added[token]} -> {ours[token]}" for token in added if added[token] != ours[token]]
    if moved:
        more = f" and {len(moved) - 8} more" if len(moved) > 8 else ""
        warnings.append(
            f"added_tokens.json gives ids that are other tokens' or leave gaps; in OUTPUT added tokens follow the "
            f"{rows} of {VOCABULARY}: {', '.join(moved[:8])}{more}"
        )
    return placed
