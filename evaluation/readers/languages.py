"""Languages by their two-letter codes, and where a file's name or its folder's names one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from evaluation.examples import UNDETERMINED

#: Two letters -> the three of Tatoeba's files (ISO 639-3, where LASER uses Mandarin for zh, Iranian Persian for fa,
#: coastal Swahili for sw, standard Estonian for et).
THREE_LETTERS = {
    **{"af": "afr", "ar": "ara", "bg": "bul", "bn": "ben", "cs": "ces", "da": "dan", "de": "deu", "el": "ell"},
    **{"en": "eng", "es": "spa", "et": "est", "eu": "eus", "fa": "pes", "fi": "fin", "fr": "fra", "gu": "guj"},
    **{"he": "heb", "hi": "hin", "hr": "hrv", "hu": "hun", "id": "ind", "it": "ita", "ja": "jpn", "jv": "jav"},
    **{"ka": "kat", "kk": "kaz", "ko": "kor", "lt": "lit", "lv": "lav", "ml": "mal", "mr": "mar", "ms": "zsm"},
    **{"my": "mya", "nb": "nob", "nl": "nld", "pa": "pan", "pl": "pol", "pt": "por", "ro": "ron", "ru": "rus"},
    **{"sk": "slk", "sl": "slv", "sr": "srp", "sv": "swe", "sw": "swh", "ta": "tam", "te": "tel", "th": "tha"},
    **{"tl": "tgl", "tr": "tur", "uk": "ukr", "ur": "urd", "uz": "uzb", "vi": "vie", "yo": "yor", "zh": "cmn"},
}
_TWO_LETTERS = {three: two for two, three in THREE_LETTERS.items()}
#: Names of CoNLL's files: esp.testb, ned.testb, eng.testb, deu.testb.
_CONLL = {"esp": "es", "ned": "nl"}
_ENDINGS = {"tsv", "csv", "txt", "json", "jsonl", "conll"}
#: Words for a part of a data set.
PARTS = {"train", "dev", "valid", "validation", "test", "testa", "testb", "2k", "translated"}
_REGION = re.compile(r"^([a-z]{2})[-_][A-Za-z]{2,4}$")


def two_letters(code: str) -> str:
    """The language of a code: `de` of de, deu, DE; `zh` of cmn, zho and zh-CN; a code that is not known as it is."""
    code = code.strip()
    region = _REGION.match(code)
    lower = region[1] if region else code.lower()
    others = {"zho": "zh", "fas": "fa", "swa": "sw", "ekk": "et", "msa": "ms"}
    return _TWO_LETTERS.get(lower) or others.get(lower) or lower


def is_language(word: str) -> bool:
    """Whether a word of a file's name is a code of a language."""
    return word in THREE_LETTERS or word in _TWO_LETTERS or word in _CONLL


def language_of_path(path: Path) -> str:
    """The language that a file's name ends or begins with (`xnli.test.de.tsv`, `de_test.tsv`, `esp.testb`), or the name
    of its folder (`x-final/de/test_2k.tsv`); `und` where there is none. A word at the beginning counts only before
    words for a part of a data set: `my_data.tsv` is not Burmese."""
    words = [word for word in re.split(r"[^a-z0-9]+", path.name.lower()) if word not in _ENDINGS]
    if words and is_language(words[-1]):
        return _language(words[-1])
    if words and is_language(words[0]) and set(words[1:]) <= PARTS:
        return _language(words[0])
    folder = path.absolute().parent.name.lower()
    return two_letters(folder) if is_language(folder) else UNDETERMINED


def _language(word: str) -> str:
    return _CONLL.get(word) or two_letters(word)


def as_codes(given: Sequence[str]) -> tuple[str, ...]:
    """Languages that the user names, as two-letter codes, each once."""
    return tuple(dict.fromkeys(two_letters(code) for code in given))
