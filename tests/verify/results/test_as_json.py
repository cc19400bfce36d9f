"""Results to JSON and back: nothing is lost, and what is damaged is refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from verify.results.as_json import from_json, to_json
from verify.results.numbers import FirstDifference, ModeResult, PytorchResult, SiteResult, SmallestFault, TensorCoverage
from verify.results.report import Report, read_report
from verify.results.self_test import Found, Outcome, SelfTest

FAILED = SiteResult("a", "x", None, None, 1e-12, False, "shape [1], Paddle's is [2]", (3, 4))
SITE = {"case": "a", "site": "x", "max_abs": 0.5, "max_rel": 1e-15, "tolerance": 1e-12, "passed": True}


def test_what_a_process_hands_back_is_read_as_it_was() -> None:
    found = PytorchResult(
        [FAILED],
        coverage=[TensorCoverage("w", 4, 3, 2, 0.75, "bytes")],
        smallest_fault=SmallestFault(7.5, "w", (1, 2), "x", "a", 3),
        environment={"torch": "2.13"},
        uses={"training": ModeResult(4, 1, "logits differ")},
    )
    assert from_json(PytorchResult, json.loads(json.dumps(to_json(found)))) == found


def test_empty_fields_that_are_optional_in_json_are_left_out() -> None:
    assert to_json(from_json(SiteResult, SITE)) == SITE
    assert list(to_json(FAILED)) == [*SITE, "problem", "worst"]


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"passed": 1}, TypeError, "passed is 1, expected bool"),
        ({"tolerance": True}, TypeError, "tolerance is True, expected float"),
        ({"max_rel": "0"}, TypeError, "max_rel is '0', expected float"),
        ({"worst": 3}, TypeError, "worst is 3, expected"),
        ({"worst": ["3"]}, TypeError, "worst is '3', expected int"),
        ({"else": 1}, TypeError, "SiteResult has no field 'else'"),
    ],
)
def test_another_type_is_refused(change: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        from_json(SiteResult, {**SITE, **change})


def test_a_field_that_is_missing_is_named() -> None:
    with pytest.raises(KeyError, match="tolerance"):
        from_json(SiteResult, {key: value for key, value in SITE.items() if key != "tolerance"})
    with pytest.raises(TypeError, match="SiteResult is 7, expected an object"):
        from_json(SiteResult, 7)


def test_a_report_is_read_as_it_was_written(passing: dict[str, Any], failing: dict[str, Any], tested: Any) -> None:
    for data in (passing, failing, {**passing, "self_test": tested, "left_inside": [{"source": "x", "kind": "y"}]}):
        assert json.dumps(read_report(data).to_json()) == json.dumps(data)


def test_a_gradient_that_differs_first_names_its_tensors() -> None:
    report = Report("float64", first_difference=FirstDifference("a", "x", failed_tensors=["w"], look_at="w"))
    written = report.to_json()["first_difference"]
    assert list(written)[-3:] == ["failed_cases", "failed_tensors", "look_at"]
    assert "failed_tensors" not in to_json(FirstDifference("a", "x"))


def test_a_report_of_before_has_what_it_lacks_by_default(passing: dict[str, Any]) -> None:
    for name in ("source_behavior", "foreign_code", "self_test", "left_inside", "noise", "margin"):
        del passing[name]
    assert read_report(passing).margin is None and read_report(passing).foreign_code == {}
    del passing["sites"]
    with pytest.raises(KeyError, match="sites"):
        read_report(passing)


def test_a_fault_counts_as_found_by_any_check() -> None:
    """`found` needs a static check, or every way of running OUTPUT that was tried."""
    place = "logits (case a)"
    outcomes = [
        Outcome.of("a", "field", ("fields",), Found({"eager": ""})),
        Outcome.of("b", "field", (), Found({"eager": place, "sdpa": ""})),
        Outcome.of("c", "field", (), Found({"eager": place, "sdpa": place})),
        Outcome.of("d", "line", (), Found({"eager": "not tried"}), unseen="too large"),
    ]
    assert [outcome.found for outcome in outcomes] == [True, False, True, False]
    tested = SelfTest.of(outcomes)
    assert tested.missed == ["b", "d"] and SelfTest.of(outcomes, static=False).missed == ["b"]
    assert tested.by_check == {"fields": 1, "numbers": 2, "numbers with sdpa": 1}
    assert tested.without_static.unexplained == ["a", "b"] and tested.without_static.found == 1
