"""MLQA's rules against hand-made examples, and against a slow form of them, letter by letter."""

from __future__ import annotations

import random
import string
import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.scorers.answers import (
    LANGUAGES,
    answer_tokens,
    exact_match,
    overlap_f1,
    score_answers,
)
from tests.evaluation.scorers.record_official import draw_text

ARTICLES = {
    "en": ["a", "an", "the"],
    "es": ["un", "una", "unos", "unas", "el", "la", "los", "las"],
    "de": ["ein", "eine", "einen", "einem", "eines", "einer", "der", "die", "das", "den", "dem", "des"],
    "vi": ["của", "là", "cái", "chiếc", "những"],
}


def slow_tokens(text: str, language: str) -> list[str]:
    kept = [
        letter for letter in text.lower() if letter not in string.punctuation and unicodedata.category(letter)[0] != "P"
    ]
    if language == "ar":
        text = "".join(kept).replace("ال", " ")
    else:
        text = "".join(" " if word in ARTICLES.get(language, []) else word for word in runs("".join(kept)))
    if language != "zh":
        return text.split()
    tokens, current = [], ""
    for letter in [*text, " "]:
        chinese = 0x4E00 <= ord(letter) <= 0x9FA5
        if chinese or letter.isspace():
            tokens += [current] if current else []
            tokens += [letter] if chinese else []
            current = ""
        else:
            current += letter
    return tokens


def runs(text: str) -> Iterator[str]:
    """The stretches of letters of words, and of others, in turn."""
    current = ""
    for letter in text:
        if current and (letter.isalnum() or letter == "_") != (current[-1].isalnum() or current[-1] == "_"):
            yield current
            current = ""
        current += letter
    yield current


ENGLISH_AND_GERMAN = [
    "the",
    "The",
    "a",
    "der",
    "Dem",
    "ein",
    "Rhein",
    "«x»",
    "don't",
    "1,5",
    "$5",
    "--",
    "_",
    "x_y",
    "ﬁ",
]
OTHERS = ["el", "las", "río", "¿qué?", "của", "là", "ال", "الرجل", "والبيت", "हिन्दी", "।", "İ", "a\u00a0b"]
CHINESE = ["在", "中国", "人a人", "。"]
TEXTS = st.builds(
    str.join,
    st.sampled_from(["", " ", "\n", "-"]),
    st.lists(st.sampled_from([*ENGLISH_AND_GERMAN, *OTHERS, *CHINESE]), max_size=6),
)


@settings(max_examples=400)
@given(TEXTS, st.sampled_from([*LANGUAGES, "ru"]))
def test_tokens_are_those_of_the_slow_rules(text: str, language: str) -> None:
    assert answer_tokens(text, language) == slow_tokens(text, language)


def test_tokens_are_those_of_the_slow_rules_in_thousands_of_texts() -> None:
    """Of each language 2,000: words, articles and marks of all of them, and single letters of many scripts."""
    draw, letters = random.Random(5), "aIİß́ـيال  　\u200b’'._-।中国。ア$+€9٩😀"
    differ = 0
    for number in range(2000 * len(LANGUAGES)):
        language = LANGUAGES[number % len(LANGUAGES)]
        text = draw_text(draw) + "".join(draw.choices(letters, k=draw.randrange(4)))
        found = answer_tokens(text, language)
        assert found == slow_tokens(text, language), (language, text)
        differ += found != text.split()
    assert differ > 1000 * len(LANGUAGES)


@settings(max_examples=200)
@given(TEXTS, TEXTS, st.sampled_from(LANGUAGES))
def test_f1_is_the_harmonic_mean_of_precision_and_recall(one: str, other: str, language: str) -> None:
    found, wanted = slow_tokens(one, language), slow_tokens(other, language)
    left = list(wanted)
    shared = 0
    for token in found:
        if token in left:
            left.remove(token)
            shared += 1
    if not shared:
        assert overlap_f1(one, other, language) == 0
    else:
        precision, recall = shared / len(found), shared / len(wanted)
        assert overlap_f1(one, other, language) == pytest.approx(2 * precision * recall / (precision + recall))
    assert exact_match(one, other, language) == (found == wanted)


@pytest.mark.parametrize(
    ("language", "text", "tokens"),
    [
        ("en", "The U.S. Army's  band", ["us", "armys", "band"]),
        ("en", "than a Theme", ["than", "theme"]),
        ("de", "Des Königs „neue“ Kleider", ["königs", "neue", "kleider"]),
        ("de", "the man", ["the", "man"]),
        ("es", "¿Los niños?", ["niños"]),
        ("vi", "Cái nhà của tôi", ["nhà", "tôi"]),
        ("ar", "الكتاب", ["كتاب"]),
        ("ar", "مقالات", ["مق", "ات"]),  # The quirk: inside a word too.
        ("hi", "the राम।", ["the", "राम"]),
        ("zh", "北京, GDP增长5%", ["北", "京", "gdp", "增", "长", "5"]),
        ("zh", "the 一", ["the", "一"]),
        ("ru", "the Рейн!", ["the", "рейн"]),
    ],
)
def test_tokens_by_hand(language: str, text: str, tokens: list[str]) -> None:
    assert answer_tokens(text, language) == tokens


def test_the_best_of_the_answers_counts_and_a_missing_prediction_is_wrong() -> None:
    gold = [("a", ["Rhein", "der lange Rhein"]), ("b", ["Elbe"]), ("c", ["die Oder"])]
    score = score_answers(gold, {"a": "lange Rhein", "b": "x Elbe"}, "de")
    assert (score.exact, score.total) == (1, 3)
    assert score.metrics() == {"f1": pytest.approx((1 + 2 / 3) / 3), "exact_match": pytest.approx(1 / 3)}


def test_spanish_articles_are_those_of_mlqa_and_not_of_squad() -> None:
    """XTREME's example has these numbers: 26.67 by MLQA's rules, 33.33 by SQuAD's, which know English articles."""
    predicted = "unas casas en"
    answer = "unas casas en un pueblo que había sido viejo de flores, hojas y frutos secos"
    gold = [("q", [answer])]
    assert 100 * score_answers(gold, {"q": predicted}, "es").metrics()["f1"] == pytest.approx(26.67, abs=0.005)
    assert 100 * score_answers(gold, {"q": predicted}, "en").metrics()["f1"] == pytest.approx(33.33, abs=0.005)
