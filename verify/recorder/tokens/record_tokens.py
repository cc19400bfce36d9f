"""What a trace holds of the tokenizer: the texts, their ids, a digest of each result of each call, the settings."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from verify.protocol.messages import report_progress
from verify.protocol.tokenizer_calls import NOT_DONE, digest, list_calls
from verify.recorder.families.family import Family
from verify.recorder.tokens.synthetic_texts import generate_texts
from verify.recorder.tokens.tokenizer import describe_tokenizer, hash_files, hash_tokens, load_tokenizer


@dataclass(frozen=True)
class Tokens:
    """The trace's field `tokenizer`, its arrays, the ids of the sentences, and notes."""

    head: dict[str, Any]
    arrays: dict[str, Any]
    sentences: list[list[int]]
    notes: list[str]


def record_tokens(family: Family, folder: str, lines: list[str], seed: int, quirk: str) -> Tokens:
    """Tokenize `lines` and the synthetic texts by the rule of `quirk`. Raises whatever PaddleNLP's tokenizer raises."""
    texts = lines + generate_texts(seed)
    rows, calls, settings = 0, {}, None
    notes: list[str] = []
    rule = family.token_rule(quirk)
    if rule is not None:  # A rule for ids alone, without a tokenizer to call.
        ids = rule(folder, texts)
    else:
        tokenizer, notes = load_tokenizer(family, folder)
        ids, rows = [list(map(int, tokenizer(text)["input_ids"])) for text in texts], len(tokenizer.vocab)
        settings = describe_tokenizer(tokenizer)
        report_progress("every way through PaddleNLP's tokenizer")
        calls = digest_calls(tokenizer, texts, rows, family.tokenizer_kind)
    if calls and (calls["offsets"] == NOT_DONE).all():
        notes = [*notes, "no offsets are compared: PaddleNLP looks for small letters in texts as they are"]
    elif calls and family.tokenizer_kind == "wordpiece":
        left = int((calls["offsets"] == NOT_DONE).sum())
        notes = [
            *notes,
            f"{left} of {len(texts)} texts hold [UNK], around which PaddleNLP guesses offsets: not compared",
        ]
    arrays = {"tokens/way/" + name: results for name, results in calls.items()}
    arrays["tokens/ids"] = np.array([token for row in ids for token in row], np.int64)
    arrays["tokens/offsets"] = np.cumsum([0] + [len(row) for row in ids]).astype(np.int64)
    arrays["tokens/texts"] = np.frombuffer(json.dumps(texts).encode("ascii"), np.uint8).copy()
    head = {"texts": len(texts), "sentences": len(lines), "rows": rows, "ways": sorted(calls)}
    head.update(settings=settings, files=hash_files(family, folder), vocabulary_sha256=hash_tokens(folder))
    return Tokens(head, arrays, ids[: len(lines)], notes)


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
