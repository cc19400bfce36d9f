"""Evaluations of OUTPUT on the card: those of exactly these bytes, and as results in its metadata when asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard, ModelCardData

from converter.publish.evaluation import find_evaluations
from converter.publish.folder import list_files
from evaluation.report.write_report import write_report as write_evaluation
from evaluation.results import Evaluation, LanguageResult
from tests.support.local_hub import LocalHub
from tests.support.publish_fixtures import ID, Pushes, refusal, write_report
from verify.folder.check_manifest import deciding_files


def one(language: str, share: float) -> LanguageResult:
    metrics = {"accuracy": share}
    return LanguageResult(language, "", 1250, torch=metrics, paddle=metrics, agree=1249, ties=1, max_abs=1e-6)


@pytest.fixture
def evaluate(output: Path) -> Callable[..., Path]:
    """(folder of `evaluation`, changes of the result) -> its report about the folder as it is."""

    def write(folder: str = "", **changes: Any) -> Path:
        given = {
            "form": "TSV <b>",
            "protocol": {"mask": "none", "read from": "test.tsv"},
            "results": [one("de", 0.75), one("fr", 0.5)],
            "files": deciding_files(output),
        }
        write_evaluation(
            Evaluation("classification", "float32", **{**given, **changes}), output / "evaluation" / folder
        )
        return output / "evaluation" / folder / "report.json"

    return write


def card_of(hub: LocalHub) -> str:
    data = hub.store.repositories[ID].find("main").files["README.md"].data
    assert data is not None
    return data.decode()


NAMES = ("report.json", "report.html", "junit.xml")


def test_an_evaluation_of_these_bytes_is_on_the_card(hub: LocalHub, push_it: Pushes, evaluate: Any) -> None:
    evaluate()
    evaluate("second", results=[one("zh", 0.25)])
    result = push_it()
    text = card_of(hub)
    assert "| de | 1,250 | accuracy 75.00 % | accuracy 75.00 % | 1,249 | 1 |" in text
    assert "| mean | 2,500 | accuracy 62.50 % | accuracy 62.50 % | 2,498 | 2 |" in text
    assert "| zh | 1,250 | accuracy 25.00 %" in text and text.count("### classification") == 2
    assert "mask: none; read from: test.tsv. `evaluation/report.json` has the rest." in text and "<b>" not in text
    assert text.index("## Evidence") < text.index("## Evaluation") < text.index("<!-- evidence: end -->")
    names = {file.name for file in result.files}
    assert names >= {f"evaluation/{name}" for name in NAMES} | {f"evaluation/second/{name}" for name in NAMES}
    assert result.verified and not any("evaluation" in warning for warning in result.warnings)
    assert "model-index" not in text  # Only when asked.
    assert push_it().nothing_to_do


def change_the_vocabulary(output: Path) -> None:
    """Other tokens, verified again: the evaluation is of those before."""
    (output / "vocab.txt").write_text("[PAD]\n[CLS]\n")
    write_report(output)


def change(report: Path, **fields: Any) -> None:
    report.write_text(json.dumps({**json.loads(report.read_text()), **fields}))


DOUBTS: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "other bytes": (lambda output, report: change_the_vocabulary(output), "about other bytes: vocab.txt. Run"),
    "no checksums": (lambda output, report: change(report, files={}), "about other bytes: config.json, "),
    "one that failed": (lambda output, report: change(report, passed=False), "it did not pass"),
    "with a problem": (lambda output, report: change(report, problems=[{"code": "E907"}]), "it did not pass"),
    "PyTorch alone": (lambda output, report: change(report, torch_only=True), "it is of PyTorch alone"),
    "no language": (lambda output, report: change(report, languages={}), "it is damaged: it has no language"),
    "a field is lost": (lambda output, report: change(report, languages={"de": {}}), "it is damaged: it lacks 'examp"),
    "no metric": (
        lambda output, report: change(report, languages={"de": {"examples": 2, "agree": 2, "ties": 0}}),
        "it is damaged: it lacks 'paddle'",
    ),
    "answers that differ": (
        lambda output, report: change(report, languages={"de": {"examples": 2, "agree": 1, "ties": 0}}),
        "it is marked as passed, and answers of 'de' differ",
    ),
    "no JSON": (lambda output, report: report.write_text("{"), "it is damaged: report.json"),
}


@pytest.mark.parametrize("case", DOUBTS)
def test_another_one_is_left_out_with_a_warning(
    hub: LocalHub, output: Path, push_it: Pushes, evaluate: Any, case: str
) -> None:
    report = evaluate()
    assert not find_evaluations(output, list_files(output))[1]
    spoil, expected = DOUBTS[case]
    spoil(output, report)
    result = push_it()
    (warning,) = (warning for warning in result.warnings if "evaluation/" in warning)
    assert warning.startswith("evaluation/report.json is left out: ") and expected in warning
    assert result.verified and "## Evaluation" not in card_of(hub)
    assert not any(file.name.startswith("evaluation/") for file in result.files)


def test_one_of_an_earlier_push_goes_with_its_bytes(
    hub: LocalHub, output: Path, push_it: Pushes, evaluate: Any
) -> None:
    evaluate()
    push_it()
    change_the_vocabulary(output)
    assert set(push_it().deleted) == {f"evaluation/{name}" for name in NAMES}


def test_an_unverified_folder_has_no_evaluation(hub: LocalHub, output: Path, push_it: Pushes, evaluate: Any) -> None:
    evaluate()
    (output / "verification" / "report.json").unlink()
    result = push_it(allow_unverified=True)
    assert "evaluation/report.json is left out: OUTPUT is not verified" in result.warnings
    assert "## Evaluation" not in card_of(hub)


def test_what_else_lies_there_is_refused_as_before(output: Path, push_it: Pushes, evaluate: Any) -> None:
    evaluate()
    (output / "evaluation" / "answers.safetensors").write_bytes(b"x")
    assert "E803]: evaluation/answers.safetensors is not in the report" in refusal(push_it)


def test_results_in_the_metadata_when_asked(hub: LocalHub, output: Path, push_it: Pushes, evaluate: Any) -> None:
    evaluate()
    push_it(model_index="My reviews, 2026")
    data = ModelCard(card_of(hub)).data
    assert isinstance(data, ModelCardData) and data.eval_results is not None
    found = [
        (row.task_type, row.dataset_type, row.dataset_name, row.dataset_config, row.metric_type, row.metric_value)
        for row in data.eval_results
    ]
    usual = ("text-classification", "my-reviews-2026", "My reviews, 2026")
    assert found == [(*usual, "de", "accuracy", 0.75), (*usual, "fr", "accuracy", 0.5)]
    assert data.model_name == "tiny" and data.license is None
    assert "## Evaluation" in card_of(hub) and push_it(model_index="My reviews, 2026").nothing_to_do
    push_it(model_index="me/reviews")
    assert "type: me/reviews" in card_of(hub)


def test_results_that_are_none(hub: LocalHub, output: Path, push_it: Pushes, evaluate: Any) -> None:
    expected = "E816]: --model-index: no evaluation that counts (there is no report). Write one"
    assert expected in refusal(push_it, model_index="mine")
    report = evaluate(protocol={"limit": "the first 3 of each language"})
    assert "E816]: --model-index: evaluation/report.json is of a part of the data" in refusal(push_it, model_index="a")
    change(report, passed=False)
    text = refusal(push_it, model_index=" ")
    assert "E816]: --model-index: ' ' is no name of a data set" in text and "report.json: it did not pass" in text
    evaluate()
    manifest = json.loads((output / "paddle2torch.json").read_text())
    manifest["source"]["origin"] = "ernie-m-base"
    (output / "paddle2torch.json").write_text(json.dumps(manifest))
    write_report(output)
    evaluate()
    assert "E816]: --model-index: this is ernie-m-base, which others published" in refusal(push_it, model_index="a")
    assert not hub.log
