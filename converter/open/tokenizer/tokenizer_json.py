"""tokenizer.json of OUTPUT, read as the vocabulary and the added tokens that it was made from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from converter.common.errors import Problem, SourceError, about
from converter.common.layout import TOKENIZER_CONFIG, TOKENIZER_JSON, VOCABULARY
from converter.files.json_files import parse_json
from converter.files.regular_files import is_file, quoted, read_file
from converter.open.tokenizer.added_tokens import number_tokens
from converter.open.tokenizer.tokenizer_files import TokenizerFiles, read_optional
from converter.open.tokenizer.tokenizer_settings import read_settings
from converter.open.tokenizer.vocabulary import MOST_TOKENS
from converter.open.tokenizer.wordpiece_files import check_special
from mappings import Family

#: A million tokens, as they are written.
_MOST_BYTES = 128 << 20


def read_tokenizer_json(folder: Path, _family: Family) -> TokenizerFiles | None:
    """The tokenizer in OUTPUT, or None when it is not there. Raises SourceError or FileError."""
    path = folder / TOKENIZER_JSON
    if not is_file(path):
        return None
    warnings: list[str] = []
    data = parse_json(read_file(path, _MOST_BYTES), TOKENIZER_JSON)[0]
    config = read_optional(folder / TOKENIZER_CONFIG, warnings)
    # Which tokens were added and with what ids is in tokenizer.json, and so is the case. What else transformers writes
    # is for its own class.
    settings = read_settings(config, {}, folder, [])
    settings = replace(settings, do_lower_case=_lowers(data))
    tokens = _tokens(data)
    added = _added(data, tokens, settings.all_special(), settings.additional)
    lines = list_lines({token: number for token, number in tokens.items() if token not in added}, added)
    named = {token: number for number, token in enumerate(lines) if token}
    check_special(settings, named)
    added = number_tokens(added, settings, named, len(set(lines)), warnings)
    vocabulary = ("\n".join(lines) + "\n").encode()
    return TokenizerFiles(folder, vocabulary, b"", len(lines), settings, added, tuple(warnings), (TOKENIZER_JSON,))


def _lowers(data: Mapping[str, Any]) -> bool:
    normalizer = data.get("normalizer")
    steps = normalizer.get("normalizers") if isinstance(normalizer, dict) else None
    return any(isinstance(step, dict) and step.get("type") == "Lowercase" for step in steps or ())


def _tokens(data: Mapping[str, Any]) -> dict[str, int]:
    """Token -> id of the model's vocabulary. Raises SourceError."""
    model = data.get("model")
    tokens = model.get("vocab") if isinstance(model, dict) else None
    if not isinstance(tokens, dict) or not tokens:
        raise _refusal("it has no table of tokens (model.vocab)")
    for token, number in tokens.items():
        if type(number) is not int or not 0 <= number < MOST_TOKENS:
            raise _refusal(f"{quoted(token, 40)} has the id {number!r:.40}")
        if "\n" in token or "\r" in token or "\t" in token:
            raise _refusal(f"{quoted(token, 40)} cannot be a line of {VOCABULARY}")
    return tokens


def _added(
    data: Mapping[str, Any], tokens: Mapping[str, int], special: Collection[str], further: Collection[str]
) -> dict[str, int]:
    """Token -> id of the tokens that are no lines of the vocabulary: those that are found in a text before it is split
    and are not special, those whose id is another token's as well, and special ones that were added after these. Of the
    other special tokens it makes no difference. Raises SourceError."""
    entries = data.get("added_tokens") or []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise _refusal("added_tokens is no list of tokens")
    listed = {entry.get("content"): entry.get("id") for entry in entries}
    for token, number in listed.items():
        if not isinstance(token, str) or not token or type(number) is not int or tokens.get(token, number) != number:
            raise _refusal(f"added_tokens has {token!r:.60} with the id {number!r:.40}")
    taken = {number for token, number in tokens.items() if token not in listed}
    added = {
        token: number
        for token, number in listed.items()
        if token not in special or token not in tokens or number in taken
    }
    first, last = min(added.values(), default=MOST_TOKENS), max(taken, default=0)
    after = {token: number for token, number in listed.items() if number >= first and number > last}
    return {**added, **{token: number for token, number in after.items() if token in further}}


def list_lines(tokens: Mapping[str, int], added: Mapping[str, int]) -> list[str]:
    """The lines of vocab.txt, each token at the place that is its id.

    An id without a token was that of a token that stands in the file again later, or of a blank line: PaddleNLP gives
    the last id. It counts the different tokens to give an added one its id; where that shows a blank line, it is one,
    else the last token stands there too.
    """
    lines: list[str | None] = [None] * (max(tokens.values()) + 1)
    for token, number in tokens.items():
        lines[number] = token
    last = lines[-1] or ""
    blank = not added or min(added.values()) != len(tokens)
    return [("" if blank else last) if token is None else token for token in lines]


def _refusal(reason: str) -> SourceError:
    return SourceError(
        Problem("E021", about(TOKENIZER_JSON, f"{reason}, so there is no {VOCABULARY} that it follows from"))
    )
