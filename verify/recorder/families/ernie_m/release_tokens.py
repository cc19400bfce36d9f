"""The 2021 release's tokens, after its own code: sentencepiece's pieces as they are, but for numbers before a comma.

Written from the release's reader (ERNIE repository, branch `repro`, ernie-m/reader/tokenization.py), for checkpoints of
that time: PaddleNLP's tokenizer of today cuts text otherwise, and does not read the release's two-column vocab.txt.
"""

from __future__ import annotations

import os
import re
import unicodedata
from typing import Any

from verify.recorder.errors import Refused
from verify.recorder.files import read_vocabulary

PIECE_MODELS = ("piece.model", "sentencepiece.bpe.model")
STRAIGHT = {"\u201c": '"', "\u201d": '"', "\u2018": "'", "\u2019": "'", "\u2014": "-"}
SPACE_MARK = "\u2581"
#: Special tokens inside a text, which the release's reader never meets: whole, as PaddleNLP has them.
SPECIAL = re.compile(r" *(\[(?:CLS|PAD|SEP|UNK|MASK)\]) *")


def release_ids(folder: str, texts: Any) -> Any:
    """[CLS], the ids, [SEP] of each text."""
    import sentencepiece

    models = [os.path.join(folder, name) for name in PIECE_MODELS if os.path.isfile(os.path.join(folder, name))]
    if not models:
        raise Refused("neither piece.model nor sentencepiece.bpe.model next to vocab.txt")
    processor = sentencepiece.SentencePieceProcessor()
    processor.Load(models[0])
    vocabulary = read_vocabulary(os.path.join(folder, "vocab.txt"))
    first, last, unknown = vocabulary["[CLS]"], vocabulary["[SEP]"], vocabulary["[UNK]"]
    rows = []
    for text in texts:
        row = [first]
        for part in SPECIAL.split(text):
            pieces = [part] if SPECIAL.fullmatch(part) else cut_commas(processor, processor.EncodeAsPieces(clean(part)))
            row += [vocabulary.get(piece, unknown) for piece in pieces]
        rows.append([*row, last])
    return rows


def clean(text: str) -> str:
    """Typographic marks made straight, controls and format characters dropped, every kind of space a space."""
    kept = []
    for letter in text:
        if letter in "\t\n\r" or unicodedata.category(letter) == "Zs":
            kept.append(" ")
        elif unicodedata.category(letter) not in ("Cc", "Cf"):
            kept.append(STRAIGHT.get(letter, letter))
    return "".join(kept)


def cut_commas(processor: Any, pieces: Any) -> Any:
    """`1990,` becomes the pieces of `1990` and the comma."""
    found: list[str] = []
    for piece in pieces:
        if len(piece) < 2 or not piece.endswith(",") or not piece[-2].isdigit():
            found.append(piece)
            continue
        inner = processor.EncodeAsPieces(piece[:-1].replace(SPACE_MARK, ""))
        if not piece.startswith(SPACE_MARK) and inner and inner[0].startswith(SPACE_MARK):
            # sentencepiece puts a mark in front of every text; this one had none.
            inner = inner[1:] if inner[0] == SPACE_MARK else [inner[0][1:], *inner[1:]]
        found += [*inner, ","]
    return found
