"""`verify HUB_ID`, and `verify OUTPUT` of a folder that brings its trace: no SOURCE and no Paddle."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants
from typer.testing import CliRunner

import paddle2torch
from converter import Paddle2TorchError
from converter.cli import app
from tests.support.local_hub import LocalHub
from tests.support.publish_fixtures import hub, slept
from verify import Report
from verify.numbers.pytorch_process import Start

__all__ = ["hub", "slept"]
ID = "me/tiny"


@pytest.fixture
def output(verified: Callable[[str], Any], tmp_path: Path) -> Path:
    """A verified folder with its trace, whose texts are fewer."""
    whole = verified("ErnieMModel")
    shutil.copytree(whole.output, tmp_path / "out", ignore=shutil.ignore_patterns("verification"))
    shutil.copytree(whole.report_folder, tmp_path / "out" / "verification")
    shutil.copy(whole.few_calls, tmp_path / "out" / "verification" / "trace.safetensors")
    return tmp_path / "out"


@pytest.fixture
def published(hub: LocalHub, output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The commit of what was pushed; huggingface_hub's cache is a new folder."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
    template = f"{hub.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)  # As with HF_ENDPOINT from the start.
    commit = paddle2torch.push(output, ID).commit
    assert commit is not None
    return commit


def test_a_folder_that_brings_its_trace(output: Path, ready: Start) -> None:
    report = paddle2torch.verify(output, start=ready).check()
    assert report.checked == ["weights", "numbers", "tokens"] and report.reference["kind"] == "trace"
    assert report.folder == output / "verification"
    (output / "verification" / "trace.safetensors").unlink()
    with pytest.raises(Paddle2TorchError, match=r"E090.*out brings no verification/trace.safetensors.*SOURCE"):
        paddle2torch.verify(output)


def test_a_hub_id(published: str, tmp_path: Path, ready: Start) -> None:
    report = paddle2torch.verify(ID, start=ready).check()
    assert report.checked == ["weights", "numbers", "tokens"]
    assert report.subject is not None and report.subject.origin == f"{ID}@{published}"
    assert report.folder is None, "nothing is written into the cache"
    again = paddle2torch.verify(ID, revision=published, report_dir=tmp_path / "report", offline=True, start=ready)
    assert again and again.folder == tmp_path / "report"
    assert any("taken from the cache" in warning for warning in again.warnings)
    assert json.loads((tmp_path / "report" / "report.json").read_text())["subject"]["origin"] == f"{ID}@{published}"


def test_a_published_folder_with_other_weights_fails(
    hub: LocalHub, output: Path, published: str, ready: Start, tmp_path: Path
) -> None:
    weights = output / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    paddle2torch.push(output, ID, allow_unverified=True)
    shutil.copy(output / "verification" / "trace.safetensors", tmp_path / "trace.safetensors")
    report: Report = paddle2torch.verify(ID, trace=tmp_path / "trace.safetensors", start=ready)
    assert not report and "E401" in {problem.code for problem in report.problems}
    assert paddle2torch.verify(ID, revision=published, start=ready), "the first commit is what it was"


def test_what_is_no_published_folder(hub: LocalHub, published: str, output: Path, tmp_path: Path) -> None:
    def refusal(*words: str) -> str:
        told = CliRunner().invoke(app, ["verify", *words])
        assert told.exit_code == 2, told.output
        return str(told.stderr)

    assert "There is no such folder either" in refusal("me/absent")
    assert "nowhere: there is no such folder" in refusal("nowhere")
    assert "--revision x is for Hub ids" in refusal(str(output), "--revision", "x")
    (output / "verification" / "trace.safetensors").unlink()
    paddle2torch.push(output, ID)
    assert f"{ID}@" in (told := refusal(ID)) and "brings no verification/trace.safetensors" in told
    (output / "paddle2torch.json").unlink()
    paddle2torch.push(output, "me/other", allow_unverified=True)
    assert "error[E045]: me/other has no paddle2torch.json" in refusal("me/other")
