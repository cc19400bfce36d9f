"""Retrieval against loops, one pair at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest

from evaluation.scorers.accuracy import score_classes
from evaluation.scorers.retrieval import find_neighbours


def test_neighbours_are_those_of_the_loops() -> None:
    draw = np.random.default_rng(3)
    queries, candidates = draw.normal(size=(600, 5)), draw.normal(size=(70, 5))
    candidates[40] = candidates[3] * 2  # The same direction: a tie, which the first wins.
    found = find_neighbours(queries, candidates)
    for query, nearest, margin in zip(queries, found.nearest, found.margin):
        cosines = [
            sum(a * b for a, b in zip(query, other)) / math.hypot(*query) / math.hypot(*other) for other in candidates
        ]
        first, second = sorted(cosines)[:-3:-1]
        assert cosines[nearest] == pytest.approx(first, abs=1e-14)
        assert margin == pytest.approx(first - second, abs=1e-14)
    tied = found.margin < 1e-15
    assert tied.sum() > 2 and set(found.nearest[tied]) <= {3, 40}


def test_of_equal_candidates_the_first_wins() -> None:
    found = find_neighbours(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]]))
    assert (found.nearest.tolist(), found.margin.tolist()) == ([1], [0.0])


def test_one_candidate_has_no_second() -> None:
    assert find_neighbours(np.ones((1, 2)), np.ones((1, 2))).margin.tolist() == [math.inf]


def test_a_vector_of_zeros_is_as_near_to_everything() -> None:
    found = find_neighbours(np.zeros((1, 2)), np.eye(2))
    assert (found.nearest.tolist(), found.margin.tolist()) == ([0], [0.0])


def test_accuracy() -> None:
    score = score_classes(np.array([0, 1, 2, 2]), np.array([0, 1, 1, 2]))
    assert (score.correct, score.total, score.metrics()) == (3, 4, {"accuracy": 0.75})
    with pytest.raises(ValueError):
        score_classes(np.array([0, 1]), np.array([0]))
