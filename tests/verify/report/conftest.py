"""Reports made by hand: a pass of everything, and a failure with hostile strings."""

from __future__ import annotations

from typing import Any

import pytest

from converter.common.errors import Problem
from verify.results.as_json import to_json
from verify.results.checks import StaticResult, TokenResult
from verify.results.numbers import FirstDifference, GradientResult, SiteResult, SmallestFault, TensorCoverage
from verify.results.report import Report
from verify.results.self_test import Found, Outcome, SelfTest

HOSTILE = "</td><script>alert(1)</script>\"'& \x00\x1b\u202e\ud800\uffff ]]> | `x` [l](http://a.b)"


def make_sites(failed_from: int | None = None, layers: int = 4) -> list[SiteResult]:
    """Two cases through a network; from the state `failed_from` on everything is far off."""
    sites = []
    for case, limit in (("sentence.0", 1e-12), ("mask.zero_row", 1e-11)):
        names = [f"hidden_states.{number}" for number in range(layers + 1)]
        for number, name in enumerate(names):
            failed = failed_from is not None and number >= failed_from
            error = 1e-3 if failed else 1e-15
            sites.append(SiteResult(case, name, error, error, limit, not failed))
    return sites


def make_gradients(failed: str = "", layers: int = 12) -> list[GradientResult]:
    """Of every weight and bias of two modules in each layer and of the pooler, in two inputs, on the way back."""
    parts = ("linear1", "self_attn.out_proj")
    modules = [f"ernie_m.encoder.layers.{number}.{part}" for number in reversed(range(layers)) for part in parts]
    found = []
    for tensor in (f"{module}.{part}" for module in ["ernie_m.pooler.dense", *modules] for part in ("weight", "bias")):
        for case in ("sentence.0", "loss (sdpa)"):
            wrong = tensor == failed
            error = 1e-3 if wrong else 1e-15
            found.append(GradientResult(tensor, case, error, error, 1e-12, not wrong))
    return found


@pytest.fixture
def passing() -> dict[str, Any]:
    report = Report("float64", checked=["weights", "numbers", "tokens"])
    report.static = StaticResult(54, ())
    report.sites = make_sites()
    report.tokenizer = TokenResult(385, 0, ways={"ids": [385, 0]})
    report.files = {"config.json": "ab" * 32}
    report.environment = {"output": {"torch": "2.13"}}
    report.smallest_fault = SmallestFault(
        206.3, "encoder.layers.3.linear2.weight", (24, 60), "hidden_states.4", "a", 40
    )
    return report.to_json()


@pytest.fixture
def tested() -> dict[str, Any]:
    """A self-test in which something was missed, as report.json holds it."""
    seen = {"eager": "hidden_states.1 (case a)", "sdpa": "hidden_states.1 (case a)"}
    outcomes = [
        Outcome.of(f"a[{number}] by one unit", "last place", ("source",), Found(seen, SmallestFault(7.0)))
        for number in (1, 2)
    ]
    outcomes += [
        Outcome.of(
            "config.json: a dropout is 0.37", "field", ("fields",), Found({"eager": ""}), "eval mode leaves it out"
        ),
        Outcome.of(f"vocab.txt {HOSTILE}", "line", (), Found({"tokens": ""})),
        Outcome.of("vocab.txt without its last line", "line", ("manifest",), Found({"tokens": ""})),
    ]
    data: dict[str, Any] = to_json(SelfTest.of(outcomes))
    return data


@pytest.fixture
def failing() -> dict[str, Any]:
    """Every text that OUTPUT's files could decide is HOSTILE."""
    report = Report("float64", checked=["weights", "numbers", "tokens"])
    report.static = StaticResult(54, (HOSTILE,))
    report.sites = [
        *make_sites(failed_from=2),
        SiteResult("sentence.0", "attentions.1", None, None, 1e-12, False, HOSTILE),
    ]
    report.gradients = [
        GradientResult(HOSTILE, HOSTILE, 0.5, 0.5, 1e-11, False),
        GradientResult("k", "x", None, None, 0.0, False, HOSTILE),
    ]
    report.coverage = [TensorCoverage(HOSTILE, 100_000, 99_999, share=0.99999, rest=HOSTILE)]
    report.tokenizer = TokenResult(
        2, 1, [{"text": HOSTILE, "expected": [0, 5, 2], "found": [0, 6, 2]}], HOSTILE, {HOSTILE: [2, 1]}
    )
    report.problems = [Problem("E401", HOSTILE), Problem("E402", HOSTILE), Problem("E999", HOSTILE)]
    report.warnings = [HOSTILE]
    report.first_difference = FirstDifference(
        case=HOSTILE,
        site="hidden_states.2",
        max_rel=1e-3,
        tolerance=1e-12,
        problem=HOSTILE,
        before=HOSTILE,
        inputs_agree=True,
        failed_cases=[HOSTILE],
        look_at=HOSTILE,
    )
    report.files = {HOSTILE: "00"}
    report.reference = {"kind": "trace", "how": [HOSTILE], "files": [{"name": HOSTILE, "sha256": HOSTILE}]}
    report.environment = {"output": {HOSTILE: HOSTILE}, HOSTILE: HOSTILE}
    return {**report.to_json(), HOSTILE: [HOSTILE]}
