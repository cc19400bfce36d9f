"""Synthetic texts: every category of Unicode, every kind of space, digits, punctuation, special tokens inside."""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np

#: Characters that normalise in ways of their own, stand alone, join others, or that sentencepiece keeps or drops.
ODD = "\x00\x01\x7f\x85\xa0\xad\u0301\u200b\u200d\u2028\u2029\u2060\u3000\u3099\ufdfa\ufe0f\ufeff\uff5e\ufffd\u2581"
SPACES = " \t\n\r\x0b\x0c\x1c\x85\xa0\u1680\u2003\u200b\u2028\u2029\u202f\u3000\ufeff\u2581"
DIGITS = "0179\xb2\xbd\u0663\u0967\u2160\u2167\u2460\u2776\u3007\u4e00\uff11\U0001d7d9"
MARKS = ",;:.?!~\uff0c\uff1b\uff1a\u3002\uff1f\uff01\u300a\u300b\u3010\u3011\u3001\u300c()-'\"%$#@&*/\\_"
WORDS = ("lamp", "1917", "in", "M\xfcller", "\u4e2d\u56fd", "\u0434\u043e\u043c", "\uc9d1", "\u5bb6", "2,5", "x\xb2")
SPECIAL_TOKENS = ("[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]", "[mask]", "[[MASK]]", "<s>", "</s>", "<unk>")
#: What decode's clean-up changes: a space before a mark or before a shortened word.
CLEANED_UP = ("do n't stop", "I 'm here , and it 's late .", "they 've gone , you 're not ! why ?", "a ' b")
#: Of a category so many texts are made.
EACH = 6


def generate_texts(seed: int) -> Any:
    """The same texts on every machine: categories are those of Unicode 3.2, which each Python has besides its own."""
    random = np.random.RandomState(seed)
    texts = ["", " ", *MARKS, *DIGITS, *ODD]
    for characters in by_category().values():
        for _ in range(EACH):
            texts.append(draw(random, characters, 3 + random.randint(6)))
            texts.append("a" + draw(random, characters, 1) + "b " + draw(random, characters, 1) + "1")
    for space in SPACES:
        texts += [space + "lamp", "lamp" + space, "a" + space + "b", "[MASK]" + space + "b" + space + "[SEP]" + space]
    texts += CLEANED_UP
    # Side by side these are one piece where sentencepiece knows neither.
    texts += [one + other + "a" for one, other in zip(MARKS, MARKS[1:])]
    for token in SPECIAL_TOKENS:
        texts += [token, "a" + token + "b", " " + token + " lamp " + token + ",", token + draw(random, DIGITS, 2)]
    everything = [*DIGITS, *MARKS, *SPACES, *ODD, *WORDS, *WORDS, *SPECIAL_TOKENS]
    for _ in range(150):
        texts.append("".join(choose(random, everything, 2 + random.randint(9))))
    # Several thousand characters: what is cut or read in blocks.
    texts.append(" ".join(choose(random, WORDS, 1200)))
    return texts


def by_category() -> Any:
    """category -> its characters, without surrogates, which no file can hold."""
    found: dict[str, list[str]] = {}
    for start, stop in ((0, 0x30000), (0xE0000, 0xE0200), (0xF0000, 0xF0010)):
        for code in range(start, stop):
            found.setdefault(unicodedata.ucd_3_2_0.category(chr(code)), []).append(chr(code))
    return dict((name, found[name]) for name in sorted(found) if name not in ("Cs", "Cn"))


def draw(random: Any, characters: Any, count: int) -> str:
    return "".join(choose(random, characters, count))


def choose(random: Any, things: Any, count: int) -> Any:
    """No thing twice in a row: of long runs sentencepiece's releases cut equal scores differently."""
    chosen: list[str] = []
    while len(chosen) < count:
        thing = things[random.randint(len(things))]
        if not chosen or chosen[-1] != thing or len(things) == 1:
            chosen.append(thing)
    return chosen
