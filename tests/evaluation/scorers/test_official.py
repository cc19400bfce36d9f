"""The scorers give what seqeval 1.2.2 and MLQA's own script gave: `record_official.py` ran them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from evaluation.scorers.answers import LANGUAGES, score_answers
from evaluation.scorers.spans import score_spans, spans_of
from tests.evaluation.scorers.record_official import KEPT, RECORDED

CASES: dict[str, list[dict[str, Any]]] = json.loads(RECORDED.read_text(encoding="utf-8"))


def test_spans_are_seqevals() -> None:
    assert len(CASES["spans"]) == KEPT["spans"]
    for case in CASES["spans"]:
        assert [list(span) for span in spans_of(case["gold"][0])] == case["spans"]
        metrics = score_spans(case["gold"], case["found"]).metrics()
        assert list(metrics.values()) == pytest.approx(case["metrics"], abs=1e-12)
    assert len({tuple(case["metrics"]) for case in CASES["spans"]}) > 30


@pytest.mark.parametrize("language", LANGUAGES)
def test_answers_are_those_of_mlqas_script(language: str) -> None:
    cases = [case for case in CASES["answers"] if case["language"] == language]
    assert len(cases) == KEPT["answers"] and len({case["f1"] for case in cases}) > 3
    for case in cases:
        metrics = score_answers([("q", case["answers"])], {"q": case["predicted"]}, language).metrics()
        assert 100 * metrics["f1"] == pytest.approx(case["f1"], abs=1e-9), case
        assert 100 * metrics["exact_match"] == case["exact_match"], case
