"""What a trace holds of the tokenizer: the texts, their ids, a digest of each result of each call, the settings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Callable, Optional, Union

import numpy as np

from verify.protocol.beside import stream_beside
from verify.protocol.messages import report_progress
from verify.protocol.tokenizer_calls import NOT_DONE, digest, list_calls
from verify.recorder.families.family import Family
from verify.recorder.tokens.synthetic_texts import generate_texts
from verify.recorder.tokens.tokenizer import describe_tokenizer, hash_files, hash_tokens, load_tokenizer


@dataclass(frozen=True)
class Tokens:
    """The trace's field `tokenizer`, its arrays, and notes."""

    head: dict[str, Any]
    arrays: dict[str, Any]
    notes: list[str]


@dataclass(frozen=True)
class StartedTokens:
    """Two functions that wait: for the ids of the sentences, None where PaddleNLP cannot load the tokenizer; and for
    the tokens, or why it cannot. They are called in this order."""

    sentences: Callable[[], Optional[list[list[int]]]]
    finish: Callable[[], Union[Tokens, str]]


def start_tokens(
    family: Family, folder: str, lines: list[str], seed: int, quirk: str, in_copy: Callable[[], None]
) -> StartedTokens:
    """Tokenize `lines` and the synthetic texts by the rule of `quirk`, and go every way through the tokenizer, in a
    second process, which calls `in_copy` first."""
    report_progress("tokenizing by the rule of " + quirk)
    wait = stream_beside(lambda: tokenize(family, folder, lines, seed, quirk), in_copy)

    def finish() -> Tokens | str:
        report_progress("every way through PaddleNLP's tokenizer")
        found: Tokens | str = wait()
        return found

    return StartedTokens(wait, finish)


def tokenize(
    family: Family, folder: str, lines: list[str], seed: int, quirk: str
) -> Iterator[list[list[int]] | Tokens | str | None]:
    """First the ids of the sentences, then the whole."""
    texts = lines + generate_texts(seed)
    rows, settings, tokenizer = 0, None, None
    notes: list[str] = []
    try:
        rule = family.token_rule(quirk)
        if rule is not None:  # A rule for ids alone, without a tokenizer to call.
            ids = rule(folder, texts)
        else:
            tokenizer, notes = load_tokenizer(family, folder)
            ids, rows = [list(map(int, tokenizer(text)["input_ids"])) for text in texts], len(tokenizer.vocab)
            settings = describe_tokenizer(tokenizer)
        head: dict[str, Any] = {"texts": len(texts), "sentences": len(lines), "rows": rows, "settings": settings}
        head.update(files=hash_files(family, folder), vocabulary_sha256=hash_tokens(folder))
    except Exception as error:  # a tokenizer that PaddleNLP cannot load means nothing for the weights
        yield None
        yield f"{type(error).__name__}: {error}"
        return
    yield ids[: len(lines)]
    calls = {} if tokenizer is None else digest_calls(tokenizer, texts, rows, family.tokenizer_kind)
    notes = [*notes, *notes_on_offsets(family, calls, len(texts))]
    yield Tokens({**head, "ways": sorted(calls)}, {**pack(texts, ids), **named(calls)}, notes)


def notes_on_offsets(family: Family, calls: dict[str, Any], texts: int) -> list[str]:
    """Why offsets are not compared, or not of all texts."""
    if calls and (calls["offsets"] == NOT_DONE).all():
        return ["no offsets are compared: PaddleNLP looks for small letters in texts as they are"]
    if calls and family.tokenizer_kind == "wordpiece":
        left = int((calls["offsets"] == NOT_DONE).sum())
        return [f"{left} of {texts} texts hold [UNK], around which PaddleNLP guesses offsets: not compared"]
    return []


def named(calls: dict[str, Any]) -> dict[str, Any]:
    """The digests of each call by the trace's names."""
    return {"tokens/way/" + name: results for name, results in calls.items()}


def pack(texts: list[str], ids: list[list[int]]) -> dict[str, Any]:
    """The texts and their ids as arrays of the trace."""
    return {
        "tokens/ids": np.array([token for row in ids for token in row], np.int64),
        "tokens/offsets": np.cumsum([0] + [len(row) for row in ids]).astype(np.int64),
        "tokens/texts": np.frombuffer(json.dumps(texts).encode("ascii"), np.uint8).copy(),
    }


def digest_calls(tokenizer: Any, texts: list[str], rows: int, kind: str) -> dict[str, Any]:
    """call -> uint64 [results], the digest of each; NOT_DONE where PaddleNLP raises."""
    found = {}
    for name, (count, call) in list_calls(tokenizer, texts, rows, kind).items():
        results = np.zeros(count, np.uint64)
        for number in range(count):
            try:
                results[number] = digest(call(number))
            except Exception:  # whatever the reference raises
                results[number] = NOT_DONE
        found[name] = results
    return found
