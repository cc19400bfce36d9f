"""The sentences that come with the recorder, and those that the cases are made of."""

from __future__ import annotations

import hashlib
import io
import pkgutil
from typing import Any

import numpy as np

from verify.recorder.families.family import Family


def read_texts(path: str | None) -> list[str]:
    """The texts of a file, one a line; without a file those that come with the recorder (verify/sentences.txt)."""
    if path is None:
        text = (pkgutil.get_data("verify", "sentences.txt") or b"").decode("utf-8")
        return [line[:-1] if line.endswith("\n") else line for line in io.StringIO(text)]
    with open(path, encoding="utf-8", newline="\n") as file:
        return [line[:-1] if line.endswith("\n") else line for line in file]


def texts_sha256(texts: list[str]) -> str:
    """The checksum of the file that holds them."""
    return hashlib.sha256("".join(text + "\n" for text in texts).encode("utf-8")).hexdigest()


def choose_sentences(family: Family, ids: Any, vocabulary: int, seed: int, longest: int) -> list[list[int]]:
    """Sentences for the cases: spread over the texts, or made of random ids when there is no tokenizer."""
    usable = [row for row in ids or [] if len(row) > 3 and max(row) < vocabulary]
    if not family.inputs.unmasked_padding:
        usable = [row for row in usable if family.pad_id not in row]
    if usable:
        return [usable[place] for place in np.linspace(0, len(usable) - 1, 12).astype(int)]
    random = np.random.RandomState(seed + 1)
    high = max(vocabulary - 1, 4)
    lengths = [5 + (7 * number) % 17 for number in range(12)]
    rows = [
        [family.cls_id, *random.randint(3, high, size=min(size, longest - 2)).tolist(), family.sep_id]
        for size in lengths
    ]
    return [[token % vocabulary for token in row] for row in rows]
