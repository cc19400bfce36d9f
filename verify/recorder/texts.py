"""Texts through PaddleNLP's tokenizer or by the release's rule, and the sentences that the cases are made of."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import numpy as np

from verify.recorder.telling import SENTENCES


def read_texts(path: Any) -> Any:
    """The texts of a file, one a line; None are those that came with the script."""
    with io.StringIO(SENTENCES) if path is None else open(path, encoding="utf-8", newline="\n") as file:
        return [line[:-1] if line.endswith("\n") else line for line in file]


def texts_sha256(texts: Any) -> str:
    """The sum of the file that holds them."""
    return hashlib.sha256("".join(text + "\n" for text in texts).encode("utf-8")).hexdigest()


def tokenize(tokenizer: Any, texts: Any) -> Any:
    return [list(map(int, tokenizer(text)["input_ids"])) for text in texts]


def choose_sentences(ids: Any, vocabulary: int, seed: int, longest: int) -> Any:
    """Sentences for the cases: spread over the texts, or made of random ids when there is no tokenizer."""
    usable = [row for row in ids or [] if len(row) > 3 and max(row) < vocabulary]
    if usable:
        return [usable[place] for place in np.linspace(0, len(usable) - 1, 12).astype(int)]
    random = np.random.RandomState(seed + 1)
    high = max(vocabulary - 1, 4)
    lengths = [5 + (7 * number) % 17 for number in range(12)]
    rows = [[0, *random.randint(3, high, size=min(size, longest - 2)).tolist(), 2] for size in lengths]
    return [[token % vocabulary for token in row] for row in rows]
