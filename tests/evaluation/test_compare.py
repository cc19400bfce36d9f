"""Two sides' answers, made up: what agrees, what is a tie, what differs."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.answered import Answered
from evaluation.compare import compare_answers, largest_difference
from evaluation.other_mask import warn_of_mask
from evaluation.results import LanguageResult


def answered(chosen: list[int], margin: list[float], rows: list[int] | None = None, accuracy: float = 0.5) -> Answered:
    places = np.array(rows if rows is not None else range(len(chosen)))
    metrics = {"accuracy": accuracy}
    return Answered("de", "", places, np.array(chosen), np.array(margin), metrics, 10.0, ("logits",), places)


def compared(paddle: Answered, torch: Answered) -> LanguageResult:
    places = [f"x:{n}" for n in range(8)]
    return compare_answers(paddle, torch, 0.01, 0.0, places, lambda row, choice: "abc"[choice])


def test_a_tie_is_near_on_both_sides() -> None:
    # The limit is a hundredth of the largest value, 10.
    found = compared(answered([0, 1, 2, 0], [5, 0.05, 0.05, 0.2]), answered([0, 2, 1, 1], [5, 0.1, 0.11, 0.05]))
    assert (found.examples, found.agree, found.ties, found.passed) == (4, 1, 1, False)
    assert [(one.place, one.tie) for one in found.differ] == [("x:2", False), ("x:3", False), ("x:1", True)]
    assert (found.differ[0].paddle, found.differ[0].torch) == ("c", "b")
    assert (found.smallest_margin, found.tie_below) == (0.05, pytest.approx(0.1))


def test_an_example_of_several_choices_differs_when_one_does() -> None:
    rows = [0, 0, 1, 1, 2]
    paddle = answered([0, 0, 0, 0, 0], [0.01, 5, 0.01, 5, 5], rows)
    found = compared(paddle, answered([1, 1, 1, 0, 0], [0.01, 5, 0.01, 5, 5], rows))
    assert (found.examples, found.agree, found.ties) == (3, 1, 1)


def test_equal_metrics_are_no_agreement() -> None:
    assert not compared(answered([0, 1], [5, 5]), answered([1, 0], [5, 5])).passed


def test_numbers_that_are_not_finite_are_no_tie() -> None:
    assert not compared(answered([0], [float("nan")]), answered([1], [float("nan")])).passed


def test_the_largest_difference_is_of_these_examples() -> None:
    paddle, torch = np.array([[1.0, 2], [9, 9], [3, 4]]), np.array([[1.0, 2.5], [0, 0], [3, 4.25]])
    one = answered([0, 1], [1, 1], rows=[0, 2])
    assert largest_difference({"logits": paddle}, {"logits": torch}, one) == (0.5, 4)


def test_another_mask_is_a_warning_only_where_it_changes_the_metric() -> None:
    result = LanguageResult("de", "", 4, torch={"accuracy": 0.5})
    assert warn_of_mask([result], [answered([0], [1])], "ones") == []
    (warning,) = warn_of_mask([result], [answered([0], [1], accuracy=0.75)], "ones")
    assert "with --mask ones OUTPUT's accuracy is 75.00 %, not 50.00 %" in warning
