"""A source with tensors inside modules is no plain pass: left out on request they are named, else it fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from converter import convert
from converter.cli import app
from tests.support.checkpoints import make_config, make_state, write_folder
from verify import Report, verify
from verify.folder.check_manifest import read_manifest
from verify.folder.left_inside import check_left_inside
from verify.report.html.page import render_page
from verify.report.junit import render_junit
from verify.report.summary import render_summary
from verify.report.terminal import render_table

HEADED = "ErnieMForSequenceClassification"
LORA = "ernie_m.encoder.layers.1.self_attn.q_proj.lora_A"


@pytest.fixture
def adapted(tmp_path: Path) -> Path:
    state = {**make_state(HEADED), LORA: np.zeros((8, 2), "<f4"), "my_head.weight": np.zeros(3, "<f4")}
    return write_folder(tmp_path / "in", state, make_config(HEADED))


@pytest.fixture
def output(adapted: Path, tmp_path: Path) -> Path:
    return convert(adapted, tmp_path / "out", allow_unknown_tensors=True).output


def edit_manifest(output: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    path = output / "paddle2torch.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def as_older_versions_wrote_it(manifest: dict[str, Any]) -> None:
    """No record, and one reason for whatever no table knows."""
    del manifest["left_inside"]
    for row in manifest["dropped"]:
        row["reason"] = "no row of any table knows this name"


def judge(source: Path, output: Path) -> Report:
    return verify(source, output, static_only=True)


def test_what_was_left_out_on_request_passes_and_every_report_says_so(adapted: Path, output: Path) -> None:
    report = judge(adapted, output)
    assert report.passed and report.left_inside == {LORA: "LoRA adapters"}
    assert [text for text in report.warnings if LORA in text and "The verdict is about the model without them" in text]
    data = json.loads((output / "verification" / "report.json").read_text())
    assert data["left_inside"] == [{"source": LORA, "kind": "LoRA adapters"}] and data["passed"]
    without = "1 tensor inside its modules (LoRA adapters)"
    assert render_table(report).startswith(f"PASSED, but without {without}, left out on request\nLooked at: weights.")
    page = render_page(report)
    assert 'class="verdict partly"' in page and f"PASSED, but without {without}" in page and page.count(LORA) >= 2
    assert render_summary(report).startswith("## ⚠️ PASSED, but without") and "lora\\_A" in render_summary(report)
    assert without in render_junit(report)


def test_a_full_pass_is_not_called_a_plain_one(adapted: Path, output: Path) -> None:
    report = judge(adapted, output)
    report.checked = ["weights", "numbers", "tokens"]
    assert "PASSED, but without" in render_table(report) and "is the same model" not in render_table(report)
    assert "is the same model" not in render_summary(report)


def test_without_such_tensors_nothing_is_said_of_them(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "in", make_state(HEADED), make_config(HEADED))
    report = judge(source, convert(source, tmp_path / "out").output)
    assert report.passed and report.left_inside == {} and report.to_json()["left_inside"] == []
    assert "but without" not in render_table(report) and "Left out of the modules" not in render_page(report)


@pytest.mark.parametrize(
    "change",
    [
        as_older_versions_wrote_it,
        lambda manifest: manifest.pop("left_inside"),
        lambda m: m.update(dropped=[], left_inside=[]),
    ],
)
def test_without_the_record_it_fails(adapted: Path, output: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    edit_manifest(output, change)
    report = judge(adapted, output)
    (problem,) = report.problems
    assert problem.code == "E111" and problem.text.startswith(LORA) and "does not record" in problem.text
    assert "paddle2torch.json" in problem.text and "E111" in render_junit(report)


def test_the_command_ends_with_1_where_the_record_is_missing(adapted: Path, output: Path) -> None:
    words = ["verify", str(adapted), str(output), "--static-only"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0 and "PASSED, but without" in done.stdout
    edit_manifest(output, as_older_versions_wrote_it)
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 1 and "error[E111]" in done.stdout and "FAILED" in done.stdout


def test_a_lost_manifest_records_nothing(adapted: Path, output: Path) -> None:
    (output / "paddle2torch.json").unlink()
    assert [problem.code for problem in judge(adapted, output).problems] == ["E111", "E406"]


def test_without_a_source_the_manifests_own_list_is_looked_at(output: Path) -> None:
    left, problems = check_left_inside(read_manifest(output)[0], None)
    assert left == {LORA: "LoRA adapters"} and problems == []
    edit_manifest(output, as_older_versions_wrote_it)
    left, problems = check_left_inside(read_manifest(output)[0], None)
    assert left == {LORA: "LoRA adapters"} and [problem.code for problem in problems] == ["E111"]


def test_known_drops_are_not_taken_for_such_tensors(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "in", architecture="ErnieMForQuestionAnswering")
    manifest = read_manifest(convert(source, tmp_path / "out").output)[0]
    assert manifest is not None and len(manifest["dropped"]) == 2
    state = "ernie_m.encoder.layers.0.linear1.weight_moment1_0"
    manifest["dropped"].append({"source": state, "reason": "the optimizer's state"})
    assert check_left_inside(manifest, None) == ({}, [])


def test_a_record_of_what_source_does_not_have_fails(adapted: Path, output: Path) -> None:
    edit_manifest(output, lambda manifest: manifest["left_inside"].append({"source": "classifier.lora_B", "kind": "x"}))
    (problem,) = judge(adapted, output).problems
    assert problem.code == "E111" and "records classifier.lora_B as left out, and SOURCE has no such" in problem.text


@pytest.mark.parametrize("odd", [5, "x", [[]], [{"source": 3}], {"a": 1}, None])
def test_a_record_of_another_form_is_no_record(adapted: Path, output: Path, odd: Any) -> None:
    edit_manifest(output, lambda manifest: manifest.update(left_inside=odd))
    assert [problem.code for problem in judge(adapted, output).problems] == ["E111"]
    for part in ("mapping", "source", "dropped"):
        assert check_left_inside({"mapping": {"table": HEADED}, "source": {}, "dropped": [], part: odd}, None) == (
            {},
            [],
        )


def test_an_adapter_in_output_fails_whether_peft_is_installed_here_or_not(adapted: Path, output: Path) -> None:
    (output / "adapter_config.json").write_text("{}")
    (problem,) = judge(adapted, output).problems
    assert problem.code == "E414" and problem.text.startswith("adapter_config.json: with PEFT installed")
