"""The self-test finds every fault that it injects into a correct output, and reports a check that is broken."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from converter.cli import app
from converter.conversion import convert
from tests.support.classes import ERNIE_M_CLASSES
from verify import Report, verify
from verify.numbers.pytorch_process import Start
from verify.reference.subprocess_runner import Ended
from verify.report.messages import describe_self_test
from verify.results.self_test import Outcome, SelfTest
from verify.self_test import run, weights
from verify.self_test.faults import EXCHANGED, FIELD, LAST_PLACE, LINE, PIECE, ROWS, TRANSPOSED, tensor_faults
from verify.weights.output_weights import read_written

ROOT = Path(__file__).resolve().parents[2]
TINY = "ErnieMForSequenceClassification"
KINDS = {LAST_PLACE, TRANSPOSED, EXCHANGED, ROWS, FIELD, LINE, PIECE}


def self_test(whole: Any, start: Start, **options: Any) -> Report:
    return verify(whole.source, whole.output, trace=whole.trace, start=start, self_test=True, **options)


@pytest.fixture(scope="module")
def full(verified: Callable[[str], Any], ready: Start, tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, Path]:
    """A self-test with every fault of one class, and where its report was written; `make figures` runs all classes."""
    folder, whole = tmp_path_factory.mktemp("full") / "report", verified(TINY)
    before = {path.name: path.read_bytes() for path in whole.output.iterdir() if path.is_file()}
    report = self_test(whole, ready, report_dir=folder)
    assert before == {path.name: path.read_bytes() for path in whole.output.iterdir() if path.is_file()}
    return report, folder


def check_all_found(report: Report) -> SelfTest:
    found = report.self_test
    assert found is not None and report.passed, report.problems
    assert found.missed == []
    # Each way of running it, eager, sdpa and tokens, alone: what it does not show is named.
    assert found.without_static.unexplained == []
    assert {outcome.unseen for outcome in found.outcomes if outcome.kind in ("transposed", "exchanged")} == {""}
    assert all(outcome.shown["eager"] and outcome.shown["sdpa"] for outcome in in_both(found))
    return found


def in_both(found: SelfTest) -> list[Outcome]:
    return [outcome for outcome in found.outcomes if "sdpa" in outcome.shown]


def test_every_injected_fault_is_found(verified: Callable[[str], Any], full: tuple[Report, Path]) -> None:
    found = check_all_found(full[0])
    tensors = read_written(verified(TINY).output).tensors
    told = "\n".join(outcome.fault for outcome in found.outcomes)
    assert [tensor for tensor in tensors if f"{tensor}[" not in told] == []
    assert len(in_both(found)) > 100


@pytest.mark.parametrize("name", [name for name in ERNIE_M_CLASSES if name != TINY])
def test_one_fault_of_each_kind_is_found_in_every_class(
    verified: Callable[[str], Any], ready: Start, few_faults: Callable[..., None], name: str
) -> None:
    """And each fault of a tensor that the base model does not have. Only a trace is needed for one of the classes."""
    whole = verified(name)
    tensors = read_written(whole.output).tensors
    heads = [tensor for tensor in tensors if not re.match(r"(ernie_m\.)?(embeddings|encoder|pooler)\.", tensor)]
    few_faults(*(f"{head}[" for head in heads))
    report = self_test(replace(whole, source=None) if name == "UIEM" else whole, ready)
    found = check_all_found(report)
    assert {outcome.kind for outcome in found.outcomes} == KINDS
    assert all(any(f"{head}[" in outcome.fault for outcome in found.outcomes) for head in heads)
    assert len(in_both(found)) >= 4 + len(heads)
    assert ("trace" if name == "UIEM" else "source") in found.by_check


def test_the_report_says_how_many_of_how_many_and_by_which_check(
    verified: Callable[[str], Any], full: tuple[Report, Path]
) -> None:
    whole, (report, folder) = verified(TINY), full
    written = json.loads((folder / "report.json").read_text())
    data, margin = written["self_test"], written["margin"]
    usual = whole.report.to_json()["margin"]
    told = [row["times_limit"] for row in data["outcomes"] if "times_limit" in row and "unseen" not in row]
    assert margin["smallest_fault"] == min([usual["smallest_fault"], *told])
    assert margin["tried"] == usual["tried"] + len(told) > 100
    assert data["faults"] == data["found"] == len(data["outcomes"]) > 200 and data["missed"] == []
    assert {"source", "manifest", "fields", "numbers", "numbers with sdpa", "tokens"} == set(data["by_check"])
    explained = {row["fault"] for row in data["without_static"]["explained"]}
    assert data["without_static"]["found"] + len(explained) == data["faults"]
    assert "config.json: hidden_dropout_prob is 0.37" in explained
    biased = [row for row in data["outcomes"] if "k_proj.bias[" in row["fault"]]
    assert biased and all("k_proj" in row["eager"] for row in biased)
    last_places = [row for row in data["outcomes"] if row["kind"] == LAST_PLACE]
    assert all(row["times_limit"] > 1 for row in last_places if "unseen" not in row)
    assert set(data["by_kind"]) == KINDS
    assert {kind for kind, count in data["by_kind"].items() if count["found"] == count["planted"] > 0} == KINDS
    assert data["by_kind"][LAST_PLACE]["planted"] == len(last_places)
    assert f"{data['found']} of {data['faults']} injected faults found" in describe_self_test(report.self_test)  # type: ignore[arg-type]
    assert str(folder.parent) not in json.dumps(data) and "paddle2torch-verify" not in json.dumps(data)


def test_the_same_faults_each_time(verified: Callable[[str], Any]) -> None:
    tensors = read_written(verified(TINY).output).tensors
    faults = list(tensor_faults(tensors, 7, 2))
    assert faults == list(tensor_faults(tensors, 7, 2)) != list(tensor_faults(tensors, 8, 2))
    assert {fault.kind for fault in faults} == {LAST_PLACE, TRANSPOSED, EXCHANGED, ROWS}


def test_a_blind_check_of_fields_makes_the_verdict_worthless(
    verified: Callable[[str], Any], ready: Start, few_faults: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No forward pass shows a dropout: with the check of fields gone nothing does."""
    whole = verified(TINY)
    few_faults("dropout")
    monkeypatch.setattr(weights, "check_fields", lambda *arguments: ([], []))
    report = self_test(whole, ready)
    assert not report.passed and report.unjudged
    missed = [problem.text for problem in report.problems if problem.code == "E409"]
    assert any("config.json: hidden_dropout_prob is 0.37" in text for text in missed)
    assert len(missed) == len(report.problems)
    monkeypatch.setattr("verify.verify", lambda *arguments, **options: report)
    result = CliRunner().invoke(app, ["verify", "--trace", "x", str(whole.output)])
    assert result.exit_code == 2 and result.stdout.startswith("NOT PROVEN")


BLIND = """
import sys
from verify import pytorch_entry
from verify.numbers.tolerances import Limits
Limits.site = Limits.gradient = lambda *arguments: 1e300
pytorch_entry.main(sys.argv[1])
"""


def test_a_blind_comparison_of_numbers_is_told(
    verified: Callable[[str], Any], ready: Start, product_python: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bytes still find the faults of weights, but the report says that the numbers did not."""
    whole = verified(TINY)

    def start(request: Path, folder: Path, say: Callable[[str], None]) -> Ended:
        asked = json.loads(request.read_text())
        if "faults" not in asked:
            return ready(request, folder, say)
        asked["faults"] = [fault for fault in asked["faults"] if fault["kind"] == LAST_PLACE][:3]
        # A process of its own: in this one other tests have registered ernie_m with the Auto classes.
        request.write_text(json.dumps(asked))
        done = subprocess.run([product_python, "-c", BLIND, str(request)], check=False, cwd=ROOT, capture_output=True)
        return Ended(done.returncode, "", "")

    choose = run.choose_faults
    monkeypatch.setattr(run, "choose_faults", lambda *arguments: choose(*arguments)[:3])
    report = self_test(whole, start)
    assert report.passed and report.self_test is not None
    assert len(report.self_test.without_static.unexplained) == 3
    assert sum("the numbers alone do not find this fault" in text for text in report.warnings) == 3
    report = self_test(whole, start, static=False)
    assert report.unjudged and len(report.problems) == 3


def test_a_folder_that_failed_is_not_tested(
    verified: Callable[[str], Any], copy_output: Callable[[Any], Path], ready: Start
) -> None:
    whole = verified(TINY)
    output = copy_output(whole)
    config = json.loads((output / "config.json").read_text())
    (output / "config.json").write_text(json.dumps({**config, "layer_norm_eps": 1e-5}))
    report = verify(whole.source, output, trace=whole.numbers, start=ready, self_test=True)
    assert not report.passed and not report.unjudged and report.self_test is None


def test_half_precision_and_float32(
    make_checkpoint: Callable[..., None],
    verify_live: Callable[..., Any],
    ready: Start,
    few_faults: Callable[..., None],
    tmp_path: Path,
) -> None:
    """In float32 a unit in the last place of a float32 cannot show; of a bfloat16 the bytes find it all the same."""
    make_checkpoint(tmp_path / "source", "--dtype", "bfloat16")
    whole = verify_live(tmp_path / "source", precision="float32")
    few_faults(".bias[")
    report = self_test(whole, ready)
    assert report.passed and report.self_test is not None
    assert report.self_test.without_static.unexplained == []


def test_converted_weights(
    checkpoints: dict[str, Path], verify_live: Callable[..., Any], ready: Start, few_faults: Callable[..., None]
) -> None:
    """A unit in the last place of what was written, where the source has another dtype."""
    few_faults(".bias[")
    report = self_test(verify_live(checkpoints["ErnieMModel"], dtype="float16"), ready)
    assert report.passed and report.self_test is not None, report.problems
    assert report.self_test.without_static.unexplained == []


def test_the_rules_of_the_release(
    checkpoints: dict[str, Path],
    paddle_python: Path,
    ready: Start,
    few_faults: Callable[..., None],
    tmp_path: Path,
) -> None:
    few_faults()
    convert(checkpoints["ErnieMModel"], tmp_path / "out", behavior="release")
    report = verify(
        checkpoints["ErnieMModel"], tmp_path / "out", paddle_python=paddle_python, start=ready, self_test=True
    )
    assert report.passed and report.self_test is not None, report.problems
    assert report.self_test.without_static.unexplained == []
