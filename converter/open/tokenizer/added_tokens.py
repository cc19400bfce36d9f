"""The ids of tokens that vocab.txt does not hold: those that the files give, else those that PaddleNLP gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from converter.common.errors import Problem, SourceError
from converter.common.layout import ADDED_TOKENS as ADDED
from converter.common.layout import TOKENIZER_CONFIG as CONFIG
from converter.files.regular_files import quoted
from converter.open.tokenizer.tokenizer_settings import DECODER, TokenizerSettings, content

_LISTED = 8


def read_added_tokens(table: Mapping[str, Any], config: Mapping[str, Any], warnings: list[str]) -> dict[str, int]:
    """Token -> id as added_tokens.json and transformers' added_tokens_decoder give them. Raises SourceError."""
    found: dict[str, int] = {}
    for token, number in table.items():
        if type(number) is not int or number < 0 or not token:
            raise SourceError(Problem("E023", f"{ADDED}: {quoted(token, 80)} has no whole number as its id"))
        found[token] = number
    decoder = config.get(DECODER) or {}
    if not isinstance(decoder, Mapping):
        raise SourceError(Problem("E023", f"{CONFIG}: {DECODER} is {decoder!r:.60}, expected a table"))
    other = []
    for key, entry in decoder.items():
        token = content(entry)
        if not key.isdecimal() or len(key) > 12 or not isinstance(token, str) or not token:
            raise SourceError(Problem("E023", f"{CONFIG}: {DECODER} has {entry!r:.60} for the id {key!r:.20}"))
        if found.setdefault(token, int(key)) != int(key):
            other.append(f"{quoted(token, 40)} {found[token]} and {key}")
            found[token] = int(key)
    if other:
        warnings.append(
            f"{ADDED} and {CONFIG} give ids that differ ({_join(other)}): the latter are taken, as in transformers"
        )
    return found


def number_tokens(
    files: Mapping[str, int],
    settings: TokenizerSettings,
    vocabulary: Mapping[str, int],
    pieces: int,
    warnings: list[str],
) -> dict[str, int]:
    """Token -> id of every token that is not in vocab.txt.

    What the files give is kept, also where it is another token's number already: PaddleNLP counts from the number of
    sentencepiece pieces on (`__len__` and `_add_tokens` in its tokenizer_utils.py), which is two less than vocab.txt
    has tokens, and models are trained with those ids. Special tokens without an id get the next ones in the same way.
    Raises SourceError when two tokens have one id.
    """
    special = dict.fromkeys(settings.all_special())
    if settings.special_tokens["unk_token"] not in vocabulary:
        unknown = quoted(settings.special_tokens["unk_token"])
        raise SourceError(
            Problem("E023", f"unk_token is {unknown}, which vocab.txt does not hold: PaddleNLP refuses it")
        )
    lowered: dict[str, int] = {}
    for token, number in sorted(files.items(), key=lambda item: item[1]):
        plain = settings.do_lower_case and token not in special
        lowered.setdefault(token.lower() if plain else token, number)
    given = sorted(((number, token) for token, number in lowered.items() if token not in vocabulary))
    _check_apart([number for number, _ in given], [token for _, token in given])
    placed = {token: number for number, token in given}
    _warn_of_oddities(lowered, placed, vocabulary, pieces, warnings)
    follows = pieces + len(placed)
    if given and given[0][0] >= len(vocabulary):  # transformers' count, which starts behind vocab.txt.
        follows = given[-1][0] + 1
    for token in special:
        if token not in vocabulary and token not in placed:
            placed[token] = follows
            follows += 1
    return placed


def _check_apart(numbers: Sequence[int], tokens: Sequence[str]) -> None:
    for place in range(1, len(numbers)):
        if numbers[place] == numbers[place - 1]:
            both = f"{quoted(tokens[place - 1])} shares its id {numbers[place]} with {quoted(tokens[place])}"
            raise SourceError(Problem("E023", f"{ADDED}: {both}, another token of the same file"))


def _warn_of_oddities(
    files: Mapping[str, int],
    placed: Mapping[str, int],
    vocabulary: Mapping[str, int],
    pieces: int,
    warnings: list[str],
) -> None:
    other = [
        f"{quoted(token, 40)} {number}, in vocab.txt {vocabulary[token]}"
        for token, number in files.items()
        if vocabulary.get(token, number) != number
    ]
    if other:
        warnings.append(f"{ADDED} gives tokens of vocab.txt other ids ({_join(other)}): vocab.txt's are taken")
    numbers = list(placed.values())
    starts = (pieces, len(vocabulary))
    if numbers and not any(numbers == list(range(start, start + len(numbers))) for start in starts):
        warnings.append(
            f"{ADDED} gives {len(numbers)} tokens ids from {numbers[0]} to {numbers[-1]}, where PaddleNLP counts from "
            f"{pieces} and transformers from {len(vocabulary)}: kept as they are, though PaddleNLP does not load them"
        )


def _join(items: Sequence[str]) -> str:
    return ", ".join(items[:_LISTED]) + (f" and {len(items) - _LISTED} more" if len(items) > _LISTED else "")
