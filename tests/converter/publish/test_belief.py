"""When `push` accepts a report: `passed` only where everything in it, in the manifest and in the trace is consistent;
and code that is not the tool's own by no report at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from converter.publish.card import describe_evidence
from tests.converter.publish.test_evidence import problems
from tests.support.local_hub import LocalHub
from tests.support.publish_fixtures import ID, Pushes, refusal, write_report, write_trace
from verify.results.report import Report, read_report


def reported(output: Path) -> Report:
    return read_report(json.loads((output / "verification" / "report.json").read_text()))


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


FIRST = {"site": "hidden_states.1", "case": "a", "look_at": "x"}
USE = {"compared": 4, "differ": 1, "first": "logits differ"}
TOKENS = {"texts": 385, "mismatched": 0, "examples": [], "problem": ""}
CONTRADICTIONS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "one site and no gradients": (
        lambda report: report.update(sites=report["sites"][:1], gradients=[]),
        "has no site of embeddings, norms alone, linear layers alone",
    ),
    "no gradients": (lambda report: report.update(gradients=[]), "has no gradients of embeddings."),
    "gradients of one tensor": (
        lambda report: report.update(gradients=report["gradients"][:1]),
        "has no gradients of",
    ),
    "gradients of another model": (
        lambda report: report["gradients"].append({**report["gradients"][0], "tensor": "other.weight"}),
        "has no gradients of tensors of this model",
    ),
    "no linear layers": (
        lambda report: report.update(sites=[s for s in report["sites"] if not s["site"].startswith("linear:")]),
        "has no site of linear layers alone",
    ),
    "a layer that nobody looked at": (
        lambda report: report.update(sites=[s for s in report["sites"] if s["site"] != "hidden_states.1"]),
        "has no site hidden_states.1",
    ),
    "no pooler": (
        lambda report: report.update(sites=[s for s in report["sites"] if s["site"] != "pooler_output"]),
        "has no site of pooler",
    ),
    "a first difference": (lambda report: report.update(first_difference=FIRST), "names a first difference"),
    "another use that differs": (
        lambda report: report["uses"].update(training=USE),
        "another use of the model differs (training: logits differ)",
    ),
    "uses of which nothing was compared": (
        lambda report: report.update(uses={"training": {"compared": 0, "differ": 0, "first": ""}}),
        "compared no other use of the model",
    ),
    "no other uses": (lambda report: report.update(uses={}), "compared no other use"),
    "a use that was compared less than never": (
        lambda report: report["uses"].update(training={"compared": -4, "differ": 0, "first": ""}),
        "what was compared of another use is -4 (training)",
    ),
    "a tokenizer with a problem": (
        lambda report: report.update(tokenizer={**TOKENS, "problem": "raises KeyError"}),
        "its tokenizer has a problem (raises KeyError)",
    ),
    "an example of a text": (
        lambda report: report.update(tokenizer={**TOKENS, "examples": [{"text": "a"}]}),
        "its tokenizer has a problem (texts that differ)",
    ),
    "a way that differs": (
        lambda report: report.update(tokenizer={**TOKENS, "ways": {"ids": [385, 2]}}),
        "a way through its tokenizer differs",
    ),
    "another source": (
        lambda report: report["reference"].update(files=[{"name": "model_state.pdparams", "sha256": "0" * 64}]),
        "its reference read other files than those that paddle2torch.json names",
    ),
    "no source": (lambda report: report["reference"].update(files=[]), "its reference read other files"),
    "no reference": (lambda report: report["reference"].update(kind="none"), "does not name what computed"),
    "another precision": (lambda report: report.update(precision="float16"), "its precision is 'float16'"),
    "another behavior": (lambda report: report.update(behavior="release"), "its behavior is 'release'"),
    "a behavior of its own": (
        lambda report: report.update(source_behavior="release"),
        "its behavior is not the source's ('release')",
    ),
    "coverage of other tensors": (lambda report: report["coverage"].pop(), "its coverage is not that of"),
    "coverage of other sizes": (lambda report: report["coverage"][0].update(elements=7, seen=7), "has other sizes"),
    "more than all": (lambda report: report["coverage"][0].update(seen=10**9), "counts more elements than there are"),
    "fewer tensors": (lambda report: report["static"].update(tensors=37), "it compared 37 tensors of 38"),
    "other code": (lambda report: report.update(foreign_code={"x.py": "0" * 64}), "it names other code"),
    "missed faults": (lambda report: report.update(self_test={"missed": ["x"]}), "its self-test missed faults"),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_report_that_says_passed_and_something_else_is_no_proof(output: Path, name: str) -> None:
    change, said = CONTRADICTIONS[name]
    edit(output / "verification" / "report.json", change)
    found = problems(output)
    assert any(text.startswith("error[E802]") and said in text for text in found), found
    assert all("it is marked as passed, and" in text for text in found)


def test_a_report_of_a_class_with_a_head_has_its_logits(output: Path) -> None:
    edit(output / "config.json", lambda config: config.update(architectures=["ErnieMForTokenClassification"]))
    write_report(output)
    (text,) = problems(output)
    assert "it is marked as passed, and has no site of logits" in text


def test_a_report_on_a_class_that_nobody_knows_needs_every_kind_of_site_too(output: Path) -> None:
    edit(output / "config.json", lambda config: config.update(architectures=["Unknown"]))
    write_report(output)
    assert problems(output) == []
    edit(output / "verification" / "report.json", CONTRADICTIONS["no linear layers"][0])
    assert any("has no site of linear layers alone" in text for text in problems(output))


def test_a_report_of_before_the_code_was_named_is_judged_by_the_rest(output: Path) -> None:
    edit(
        output / "verification" / "report.json",
        lambda report: (report.pop("foreign_code"), report.pop("source_behavior")),
    )
    assert problems(output) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest["source"].update(origin="someone/else@main"),
        lambda manifest: manifest["source"]["files"][0].update(sha256="0" * 64),
        lambda manifest: manifest.update(version="9.9"),
    ],
)
def test_a_manifest_that_changed_after_the_pass_is_seen(
    output: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    edit(output / "paddle2torch.json", change)
    assert any(text.startswith("error[E803]: paddle2torch.json has changed since") for text in problems(output))


def test_a_trace_of_other_tensors_is_refused(output: Path) -> None:
    """It is of the same weight files by name and sum, and verifying with it would fail."""
    write_trace(output)
    assert problems(output) == []
    manifest = json.loads((output / "paddle2torch.json").read_text())
    rows = manifest["tensors"]
    told = {row["source"]: {"dtype": "float32", "shape": row["shape"], "sha256": "0" * 64} for row in rows}
    write_trace(output, tensors=told)
    (text,) = problems(output)
    said = (
        f"error[E815]: verification/trace.safetensors: verifying OUTPUT with it would fail: {len(rows)} tensors are not"
    )
    assert text.startswith(said) and "Remove it" in text
    write_trace(output, tensors={row["source"]: {} for row in rows})
    (text,) = problems(output)
    assert text.startswith("error[E815]") and "is damaged" in text


@pytest.fixture
def foreign(output: Path) -> str:
    """OUTPUT with code of others, which manifest and report know; the sum of it."""
    path = output / "modeling_ernie_m.py"
    path.write_text(path.read_text() + "\n# mine\n")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    edit(output / "paddle2torch.json", lambda manifest: manifest["files"].update({path.name: digest}))
    write_report(output)
    assert problems(output) == []
    return digest


def test_code_of_others_needs_an_option_and_the_card_names_it(
    hub: LocalHub, output: Path, push_it: Pushes, foreign: str
) -> None:
    text = refusal(push_it)
    assert text.startswith(f"error[E814]: modeling_ernie_m.py is not paddle2torch's own code (sha256 {foreign})")
    assert hub.log == []
    result = push_it(allow_foreign_code=True)
    assert result.verified and result.foreign_code == ("modeling_ernie_m.py",)
    assert "modeling_ernie_m.py is not paddle2torch's own code; the card names it" in result.warnings
    card = hub.store.repositories[ID].read("README.md").decode()
    assert "**The code is not paddle2torch's own** (published with `--allow-foreign-code`)" in card
    assert f"- `modeling_ernie_m.py`, sha256 `{foreign}`" in card and "| weights | 38 tensors |" in card


def test_what_nobody_verified_needs_that_option_too(hub: LocalHub, output: Path, push_it: Pushes, foreign: str) -> None:
    (output / "verification" / "report.json").unlink()
    assert refusal(push_it, allow_unverified=True).startswith("error[E814]")
    assert refusal(push_it, allow_foreign_code=True).startswith("error[E802]")
    push_it(allow_unverified=True, allow_foreign_code=True)
    card = hub.store.repositories[ID].read("README.md").decode()
    assert "## Not verified" in card and f"- `modeling_ernie_m.py`, sha256 `{foreign}`" in card


def test_the_command_has_the_option(hub: LocalHub, output: Path, foreign: str) -> None:
    from typer.testing import CliRunner

    from converter.cli import app

    assert CliRunner().invoke(app, ["push", str(output), ID]).exit_code == 2
    done = CliRunner().invoke(app, ["push", str(output), ID, "--allow-foreign-code"])
    assert done.exit_code == 0, done.output


def test_names_of_code_elsewhere_are_refused_by_push_itself(output: Path) -> None:
    """Also where an older `verify` let it pass."""
    edit(output / "config.json", lambda config: config["auto_map"].update(AutoProcessor="owner/other--a.B"))
    write_report(output)
    (text,) = problems(output)
    assert text.startswith("error[E411]: config.json: auto_map's AutoProcessor is 'owner/other--a.B'")


def test_the_card_says_what_a_report_is_worth(output: Path) -> None:
    said = "A report is not a signature: anyone who publishes a folder can write one."
    assert said in describe_evidence(reported(output), True) and "the trace below" in describe_evidence(
        reported(output), True
    )
    assert said in describe_evidence(reported(output), False)
    assert "the trace below" not in describe_evidence(reported(output), False)


def test_the_card_names_a_behavior_that_was_asked_for(output: Path) -> None:
    edit(output / "paddle2torch.json", lambda manifest: manifest.update(behavior="release", behavior_chosen=True))
    write_report(output, behavior="release")
    assert problems(output) == []
    card = describe_evidence(reported(output), False)
    assert "The behavior is `release`, which `convert` was asked for with `--behavior`; that of the source" in card
    assert "that of the source" not in describe_evidence(replace(reported(output), source_behavior="release"), False)


def test_the_card_names_the_versions_that_output_ran_in(output: Path) -> None:
    report = reported(output)
    versions = {"output": {"transformers": "5.23.0", "torch": "2.13.0", "python": "3.11.4"}}
    card = describe_evidence(replace(report, environment=versions), False)
    assert "These files ran in transformers 5.23.0 and torch 2.13.0." in card
    assert "These files ran in" not in describe_evidence(report, False)


def test_the_card_counts_tensors_and_not_their_gradients(output: Path) -> None:
    report = reported(output)
    twice = [*report.gradients, *(replace(each, case="b") for each in report.gradients)]
    assert "| gradients | 38 tensors |" in describe_evidence(replace(report, gradients=twice), False)
