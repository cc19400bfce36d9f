"""The texts of a trace through OUTPUT's own tokenizer, against the ids that PaddleNLP gave them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from verify.loading import describe
from verify.trace import Trace

_SHOWN = 5


@dataclass
class TokenResult:
    """How many texts have other ids, in a single call or in a batch, and the first of them."""

    texts: int
    mismatched: int
    examples: list[dict[str, Any]] = field(default_factory=list)
    problem: str = ""


def compare_tokens(trace: Trace, output: Path, piece_rule: str | None = None) -> TokenResult:
    """Load OUTPUT's tokenizer as a user does and call it, text by text and once with all of them. `piece_rule` takes
    the place of the one that OUTPUT says."""
    texts, expected = trace.texts()
    try:
        tokenizer = load_tokenizer(output, **({"piece_rule": piece_rule} if piece_rule else {}))
        single = [list(tokenizer(text)["input_ids"]) for text in texts]
        batch = [list(ids) for ids in tokenizer(texts)["input_ids"]]
    except Exception as error:  # whatever OUTPUT's files or code raise is a fault of OUTPUT
        return TokenResult(len(texts), len(texts), problem=describe(error))
    if len(batch) != len(texts):
        return TokenResult(len(texts), len(texts), problem=f"a batch of {len(texts)} texts gives {len(batch)}")
    wrong = [number for number, ids in enumerate(expected) if single[number] != ids or batch[number] != ids]
    examples = [
        {"text": texts[n], "expected": expected[n], "found": single[n] if single[n] != expected[n] else batch[n]}
        for n in wrong[:_SHOWN]
    ]
    return TokenResult(len(texts), len(wrong), examples)


def load_tokenizer(output: Path, **options: str) -> Any:
    """AutoTokenizer with OUTPUT's code. Raises ValueError when something else is loaded instead."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(output), trust_remote_code=True, local_files_only=True, **options)
    if not tokenizer:  # transformers 4.57 gives False where the files are damaged
        raise ValueError("AutoTokenizer gives no tokenizer")
    if not type(tokenizer).__module__.startswith("transformers_modules."):
        raise ValueError(f"AutoTokenizer takes {type(tokenizer).__module__}, not the code in OUTPUT")
    return tokenizer
