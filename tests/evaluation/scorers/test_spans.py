"""F1 of spans against hand-counted examples and against a slow count written another way."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.scorers.spans import SpanScore, score_spans, spans_of, to_iob2

TAGS = st.lists(st.sampled_from(["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]), max_size=9)


def slow_spans(tags: list[str]) -> set[tuple[str, int, int]]:
    """Every stretch that is a span: it begins as one, goes on, and does not go on behind."""

    def begins(place: int) -> bool:
        tag, before = tags[place], tags[place - 1] if place else "O"
        return tag != "O" and (tag[0] == "B" or before == "O" or before[2:] != tag[2:])

    found = set()
    for start in range(len(tags)):
        if begins(start):
            ends = [end for end in range(start + 1, len(tags)) if tags[end] == "O" or begins(end)]
            found.add((tags[start][2:], start, min(ends, default=len(tags))))
    return found


@settings(max_examples=300)
@given(TAGS)
def test_spans_are_those_of_the_slow_count(tags: list[str]) -> None:
    assert set(spans_of(tags)) == slow_spans(tags)
    assert set(spans_of(to_iob2(tags))) == slow_spans(tags)
    for before, tag in zip(["O", *to_iob2(tags)], to_iob2(tags)):
        assert tag[0] != "I" or before[2:] == tag[2:]


def test_scores_are_those_of_the_slow_count_on_thousands_of_sentences() -> None:
    draw = random.Random(7)
    marks = ["O", "O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
    gold = [[draw.choice(marks) for _ in range(draw.randrange(1, 12))] for _ in range(3000)]
    found = [[tag if draw.random() < 0.8 else draw.choice(marks) for tag in tags] for tags in gold]
    pairs = [(slow_spans(a), slow_spans(b)) for a, b in zip(gold, found)]
    right, there = sum(len(a & b) for a, b in pairs), sum(len(a) for a, _ in pairs)
    score = score_spans(gold, found)
    assert score == SpanScore(right, sum(len(b) for _, b in pairs), there)
    precision, recall = score.correct / score.found, score.correct / score.there
    assert score.metrics() == {
        "f1": pytest.approx(2 * precision * recall / (precision + recall)),
        "precision": precision,
        "recall": recall,
    }
    assert 0.2 < score.f1 < 0.8


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        ("I-A I-A B-A", [("A", 0, 2), ("A", 2, 3)]),  # IOB1
        ("B-A I-B I-B O I-A", [("A", 0, 1), ("B", 1, 3), ("A", 4, 5)]),  # another type, and an I after O
        ("B-A I-A", [("A", 0, 2)]),
        ("O O", []),
        ("B-A-X I-A-X", [("A-X", 0, 2)]),
    ],
)
def test_spans_by_hand(tags: str, spans: list[tuple[str, int, int]]) -> None:
    assert spans_of(tags.split()) == spans


def test_nothing_found_is_no_division_by_zero() -> None:
    assert score_spans([["O"]], [["O"]]).metrics() == {"f1": 0.0, "precision": 0.0, "recall": 0.0}


def test_another_number_of_tags_is_an_error() -> None:
    with pytest.raises(ValueError, match="1 predictions for 2 tags"):
        score_spans([["O", "O"]], [["O"]])
