"""The forms of a report, and the command, for made-up results."""

from __future__ import annotations

import inspect
import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

import evaluation.run
from converter.cli import app
from converter.cli.commands import evaluate as commands
from evaluation import options
from evaluation.options import Options
from evaluation.published import describe_published
from evaluation.report.page import render_page
from evaluation.report.plot import Point, draw_plot, plot_points
from evaluation.report.terminal import render_table
from evaluation.report.write_report import write_report
from evaluation.results import Differing, Evaluation, LanguageResult
from mappings.registry import load_family

HOSTILE = "<script>alert(1)</script>\u202e&"


def one(language: str, agree: int, ties: int, view: str = "", accuracy: float = 0.8) -> LanguageResult:
    differ = [Differing(f"x:{n}", view, "a", HOSTILE, 0.5, 0.25, tie=n >= 10 - agree - ties) for n in range(10 - agree)]
    return LanguageResult(
        language,
        view,
        10,
        torch={"accuracy": accuracy - 0.1},
        paddle={"accuracy": accuracy},
        agree=agree,
        ties=ties,
        max_abs=1e-6,
        smallest_margin=1e-7,
        tie_below=1e-5,
        differ=tuple(differ),
    )


def evaluation_of(*results: LanguageResult, **more: Any) -> Evaluation:
    return Evaluation("xnli", "float32", form="TSV", protocol={"mask": "none"}, results=list(results), **more)


def test_json_has_the_form_of_the_contract() -> None:
    found = evaluation_of(one("de", 9, 1), one("fr", 10, 0, accuracy=0.9)).to_json()
    assert found["languages"]["de"].items() >= {"examples": 10, "agree": 9, "ties": 1, "max_abs": 1e-6}.items()
    assert found["mean"]["paddle"]["accuracy"] == pytest.approx(0.85)
    assert found["mean"]["torch"]["accuracy"] == pytest.approx(0.75)
    assert found["passed"] is True and found["task"] == "xnli" and found["precision"] == "float32"
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_one_answer_beyond_the_noise_fails() -> None:
    assert not evaluation_of(one("de", 9, 1), one("fr", 8, 1)).passed
    assert not evaluation_of().passed


def test_the_table() -> None:
    lines = render_table(evaluation_of(one("de", 8, 1), one("fr", 10, 0))).splitlines()
    assert lines[0] == "xnli: FAILED. 1 of 20 answers differ beyond the noise of float32"
    assert lines[3].split() == ["de", "10", "80.00", "%", "70.00", "%", "8", "1", "1.0e-06", "1.0e-07"]
    assert lines[5].split() == ["mean", "20", "80.00", "%", "70.00", "%", "18", "1", "1.0e-06"]
    assert lines[7].startswith("DIFFERS: x:0: Paddle a, PyTorch <script>") and lines[8].startswith("tie: x:1")


XNLI = ("en", "fr", "es", "de", "el", "bg", "ru", "tr", "ar", "vi", "th", "zh", "hi", "sw", "ur")


def published(task: str, counts: dict[str, int], size: int = 768, depth: int = 12) -> list[str]:
    results = [replace(one(language, 10, 0), examples=count) for language, count in counts.items()]
    config = {"hidden_size": size, "num_hidden_layers": depth}
    result = Evaluation(task, "float32", results=results)
    return describe_published(result, load_family("ernie_m"), config)


def test_published_figures_stand_beside_a_whole_test_set_alone() -> None:
    whole = dict.fromkeys(XNLI, 5010)
    english, every, caution = published("xnli", whole)
    assert english.startswith("XNLI, ernie-m-base fine-tuned on English: accuracy in %: mean 77.3, en 85.5, fr 80.1")
    assert "on all languages: accuracy in %: mean 80.6, en 86.2" in every and "no target" in caution
    assert "ernie-m-large" in published("xnli", whole, 1024, 24)[0]
    shown = render_table(Evaluation("xnli", "float32", results=[one("de", 10, 0)], published=[english]))
    assert f"published: {english}" in shown
    assert Options("xnli").as_published and Options("retrieval", layer="all", direction="both").as_published
    others: tuple[dict[str, Any], ...] = ({"limit": 9}, {"max_length": 128}, {"layer": "3"}, {"direction": "xx2en"})
    assert not any(Options("retrieval", **other).as_published for other in others)
    assert published("xnli", {**whole, "ur": 5009}) == [] == published("xnli", {**whole, "nl": 5010})
    assert published("xnli", dict.fromkeys(XNLI[:-1], 5010)) == [] == published("classification", whole)
    assert published("xnli", whole, 768, 6) == []
    assert published("qa", dict.fromkeys(("en", "es", "de", "ar", "hi", "vi", "zh"), 1190)) == []  # XQuAD.


def test_the_published_means_are_those_of_their_languages() -> None:
    rows = [row for each in load_family("ernie_m").figures for row in each.rows if row.values]
    assert len(rows) == 14
    for row in rows:
        assert sum(row.values) / len(row.values) == pytest.approx(row.mean, abs=0.0501), row


def test_nothing_hostile_gets_through(tmp_path: Path) -> None:
    result = evaluation_of(one(HOSTILE, 8, 0), one("fr", 10, 0), warnings=[HOSTILE])
    page = render_page(result)
    assert "<script" not in page and "\u202e" not in page and page.count("&lt;script&gt;") > 3
    assert "\u202e" not in render_table(result)
    write_report(result, tmp_path)
    suite = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert suite.attrib == {"name": "paddle2torch evaluate", "tests": "2", "failures": "1", "errors": "0"}


def test_the_plot_is_by_language() -> None:
    result = evaluation_of(one("de", 10, 0), one("fr", 10, 0))
    assert plot_points(result)[0] == Point("de", pytest.approx(0.7), 0.8)
    assert draw_plot(result).count("<circle") == 4
    assert draw_plot(evaluation_of(one("de", 10, 0))) == ""


def test_the_plot_is_by_layer_in_the_order_of_the_network() -> None:
    views = [(layer, way) for layer in (8, 0, 12) for way in ("en2xx", "xx2en")]
    result = evaluation_of(*(one("de", 10, 0, f"layer.{layer}, {way}", layer / 100 + 0.2) for layer, way in views))
    assert [(point.name, point.paddle) for point in plot_points(result)] == [("0", 0.2), ("8", 0.28), ("12", 0.32)]


@pytest.mark.parametrize(("agree", "code"), [(10, 0), (9, 1)])
def test_the_command_and_its_exit_code(agree: int, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def answer(*paths: Any, **given: Any) -> Evaluation:
        asked.update(given, paths=paths)
        return evaluation_of(one("de", agree, 0))

    monkeypatch.setattr(evaluation.run, "evaluate", answer)
    words = ["--task", "xnli", "--data", "d", "--labels", "a, b,c", "--language", "de", "--language", "zh", "--json"]
    ended = CliRunner().invoke(app, ["evaluate", "s", "o", *words, "--report", str(tmp_path / "r")])
    assert ended.exit_code == code
    assert json.loads(ended.stdout)["passed"] is (code == 0)
    assert asked["paths"] == ("s", "o") and asked["labels"] == ("a", "b", "c") and asked["language"] == ("de", "zh")
    assert asked["task"] == "xnli" and asked["mask"] == "tokenizer" and asked["precision"] == "float32"
    assert {path.name for path in (tmp_path / "r").iterdir()} == {"report.json", "report.html", "junit.xml"}


def test_a_report_that_cannot_be_written_is_told_before_the_models_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation.run, "evaluate", lambda *paths, **given: pytest.fail("it ran"))
    (tmp_path / "file").write_text("")
    report = ["--report", str(tmp_path / "file" / "r")]
    ended = CliRunner().invoke(app, ["evaluate", "s", "o", "--task", "xnli", "--data", "d", *report])
    assert ended.exit_code == 2 and "error[E505]" in ended.stderr and "--report DIR" in ended.stderr


def test_an_earlier_report_does_not_stay_beside_half_of_a_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result, folder = evaluation_of(one("de", 10, 0)), tmp_path / "r"
    write_report(result, folder)

    def replace_page_alone(source: Path, target: Path) -> None:
        if target.name != "report.html":
            raise OSError("no space")

    monkeypatch.setattr("os.replace", replace_page_alone)
    with pytest.raises(OSError, match="no space"):
        write_report(result, folder)
    assert not (folder / "report.json").exists()


def test_the_command_offers_the_values_that_an_evaluation_takes() -> None:
    """The command has them itself, so that --help imports no evaluation."""
    assert commands.TASKS == options.TASKS and commands.PRECISIONS == options.PRECISIONS
    for name in ("mask", "direction", "ner_scoring", "device"):
        shown = inspect.signature(commands.evaluate).parameters[name].default.metavar.strip("[]").split("|")
        for value in shown:
            task = {"direction": "retrieval", "ner_scoring": "ner"}.get(name, "xnli")
            replace(Options(task), **{name: value}).check()
    assert (
        tuple(inspect.signature(commands.evaluate).parameters["mask"].default.metavar[1:-1].split("|")) == options.MASKS
    )


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["s", "--task", "xnli", "--data", "."], "E090]: evaluate takes SOURCE and OUTPUT"),
        (["s", "o", "--task", "xnli", "--data", "gone"], "E405]: o: there is no such folder"),
        (["s", ".", "--task", "xnli", "--data", "gone"], "E901]: gone: there is no such file or folder"),
        (["s", ".", "--task", "x", "--data", "."], "E090]"),
        (["s", ".", "--task", "xnli"], "E090]"),
        (["s", ".", "--task", "xnli", "--data", ".", "--max-length", "9"], "E906]: --max-length is 9, expected 16"),
        (["s", ".", "--task", "xnli", "--data", ".", "--layer", "all"], "E906]: --layer and --direction belong to"),
        (["s", ".", "--task", "retrieval", "--data", ".", "--layer", "x"], "E906]: --layer is 'x'"),
        (["s", ".", "--task", "qa", "--data", ".", "--ner-scoring", "subtoken"], "E906]: --ner-scoring belongs to"),
        (["s", ".", "--task", "qa", "--data", ".", "--labels", "a"], "E906]: --labels belongs to tasks with classes"),
        (["s", ".", "--task", "qa", "--data", ".", "--torch-only", "--record", "x"], "E090]: --torch-only runs no"),
        (["s", ".", "--task", "qa", "--data", ".", "--trace", "x", "--record", "y"], "E090]: --trace takes Paddle's"),
    ],
)
def test_usage_errors(words: list[str], expected: str) -> None:
    ended = CliRunner().invoke(app, ["evaluate", *words])
    assert ended.exit_code == 2
    assert f"error[{expected}" in ended.stderr
