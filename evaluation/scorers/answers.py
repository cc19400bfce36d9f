"""Exact match and F1 of extracted answers, with MLQA's rules for each language.

An answer is written in lower case, loses its punctuation (Unicode category P, and ASCII's), then the articles of its
language, then its white space; Chinese is cut into characters. Written from the description of MLQA's evaluation
(Lewis et al. 2020, appendix; facebookresearch/MLQA): its quirks are kept, among them that an Arabic article is removed
inside a word too.
"""

from __future__ import annotations

import re
import string
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

_WORDS = {
    "en": "a an the",
    "es": "un una unos unas el la los las",
    "de": "ein eine einen einem eines einer der die das den dem des",
    "vi": "của là cái chiếc những",
}
_ARTICLES: dict[str, re.Pattern[str] | None] = {
    **{language: re.compile(rf"\b(?:{'|'.join(words.split())})\b") for language, words in _WORDS.items()},
    "ar": re.compile(r"\sال^|ال"),
    "hi": None,
    "zh": None,
}
#: Languages that MLQA has rules for.
LANGUAGES = tuple(sorted(_ARTICLES))
_CHINESE = re.compile("([\u4e00-\u9fa5])")


@dataclass(frozen=True)
class AnswerScore:
    """Sums over questions: answers that match exactly, and F1."""

    exact: int
    overlap: float
    total: int

    def metrics(self) -> dict[str, float]:
        total = max(self.total, 1)
        return {"f1": self.overlap / total, "exact_match": self.exact / total}


@cache
def _punctuation() -> dict[int, None]:
    """A table for str.translate that removes punctuation."""
    marks = {number for number in range(sys.maxunicode) if unicodedata.category(chr(number)).startswith("P")}
    return dict.fromkeys(marks | set(map(ord, string.punctuation)))


def answer_tokens(text: str, language: str) -> list[str]:
    """The normalised words of an answer. A language without rules of its own has no articles."""
    text = text.lower().translate(_punctuation())
    articles = _ARTICLES.get(language)
    text = articles.sub(" ", text) if articles is not None else text
    return (_CHINESE.sub(r" \1 ", text) if language == "zh" else text).split()


def exact_match(predicted: str, answer: str, language: str) -> bool:
    return answer_tokens(predicted, language) == answer_tokens(answer, language)


def overlap_f1(predicted: str, answer: str, language: str) -> float:
    """F1 of the words that two answers share, each as often as both have it; 0 when they share none."""
    one, other = answer_tokens(predicted, language), answer_tokens(answer, language)
    shared = sum((Counter(one) & Counter(other)).values())
    return 2 * shared / (len(one) + len(other)) if shared else 0.0


def score_answers(
    gold: Iterable[tuple[str, Sequence[str]]], predicted: Mapping[str, str], language: str
) -> AnswerScore:
    """Score predictions, the best over the answers of each question. `gold` has the name and the answers of each; a
    question without a prediction counts as wrong."""
    exact, overlap, total = 0, 0.0, 0
    for name, answers in gold:
        total += 1
        if name in predicted:
            exact += any(exact_match(predicted[name], answer, language) for answer in answers)
            overlap += max(overlap_f1(predicted[name], answer, language) for answer in answers)
    return AnswerScore(exact, overlap, total)
