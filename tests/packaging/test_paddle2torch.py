"""`import paddle2torch`: the six functions, and how they take arguments, report and explain themselves."""

from __future__ import annotations

import inspect
import logging
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import paddle2torch
from converter import BackConversion, Conversion, Inspection, Paddle2TorchError, Push
from converter.common.errors import Problem, VerificationError
from converter.common.progress import Progress, listen
from converter.common.version import __version__
from converter.publish.pushed import PushedFile
from evaluation import Evaluation
from tests.support.checkpoints import write_folder
from verify import Report
from verify.results.subject import Subject

ROOT = Path(__file__).resolve().parents[2]
SIX = ["convert", "evaluate", "inspect", "push", "to_paddle", "verify"]


def run(*words: str) -> str:
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_offers_six_functions_and_imports_nothing_yet() -> None:
    program = """
import sys, paddle2torch
assert [name for name in vars(paddle2torch) if not name.startswith("_")] == []
assert not {"torch", "paddle", "transformers", "numpy", "converter", "verify"} & set(sys.modules)
print(*dir(paddle2torch))
from paddle2torch import *
assert not {"torch", "paddle", "transformers"} & set(sys.modules)
print(convert.__name__, verify.__name__)
"""
    assert run("-c", program).splitlines() == [" ".join(SIX), "convert verify"]
    with pytest.raises(AttributeError, match="no attribute 'locate'"):
        paddle2torch.locate  # noqa: B018


def test_it_is_the_command() -> None:
    assert run("-m", "paddle2torch", "--version") == f"paddle2torch {__version__}\n"


def test_paths_are_texts_or_paths_and_sizes_are_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_folder(tmp_path / "in")
    (source / "config.json").rename(tmp_path / "c.json")
    monkeypatch.setenv("HOME", str(tmp_path))
    given: dict[str, Any] = {"config": str(tmp_path / "c.json"), "cache": str(tmp_path / "cache")}
    found = paddle2torch.inspect("~/in", **given)
    assert found.source_class == "ErnieMModel" and found.source == source
    result = paddle2torch.convert(str(source), "~/out", max_shard_size="0.002MB", **given)
    assert result.output == tmp_path / "out" and len(result.shards) > 1
    assert not Path("~").exists()
    with pytest.raises(Paddle2TorchError, match="E020.*vocab.txt"):
        paddle2torch.convert(source, tmp_path / "other", tokenizer=str(tmp_path), **given)
    with pytest.raises(Paddle2TorchError, match=r"E091.*max.shard.size.*5XB"):
        paddle2torch.convert(source, tmp_path / "other", max_shard_size="5XB")


def test_every_tensor_in_a_file_of_its_own_is_warned_of(tmp_path: Path) -> None:
    result = paddle2torch.convert(write_folder(tmp_path / "in"), tmp_path / "out", max_shard_size=10)
    assert any("weight files hold one tensor each" in warning for warning in result.warnings)
    whole = paddle2torch.convert(tmp_path / "in", tmp_path / "whole")
    assert not any("one tensor each" in warning for warning in whole.warnings)


def test_one_type_of_progress(tmp_path: Path) -> None:
    events: list[Progress] = []
    paddle2torch.convert(write_folder(tmp_path / "in"), tmp_path / "out", progress=events.append)
    paddle2torch.to_paddle(tmp_path / "out", tmp_path / "back", progress=events.append)
    paddle2torch.verify(tmp_path / "in", tmp_path / "out", static_only=True, progress=events.append)
    with pytest.raises(Paddle2TorchError):
        paddle2torch.push(tmp_path / "out", "me/x", progress=events.append)
    stages = {event.stage for event in events}
    assert all(type(event) is Progress for event in events)
    assert {"writing", "opening SOURCE", "checking the folder against its report"} <= stages
    last = [event for event in events if event.stage == "writing"][-1]
    assert last.in_bytes and last.done == last.total > 0
    for name in SIX:
        kind = inspect.signature(getattr(paddle2torch, name)).parameters["progress"].annotation
        assert kind == "OnProgress | None", name


def test_a_bar_in_a_notebook(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    listen(None)(Progress("writing", "", 5, 10))
    assert capsys.readouterr() == ("", "")
    notebook = ModuleType("IPython")
    notebook.get_ipython = lambda: SimpleNamespace(kernel=object())  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", notebook)
    listen(None)(Progress("writing", "", 5, 10))
    assert "writing" in (shown := capsys.readouterr().err) and "50%" in shown
    listen(lambda event: None)(Progress("writing", "", 5, 10))
    assert capsys.readouterr() == ("", "")


def test_stages_and_warnings_are_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = write_folder(tmp_path / "in")
    with caplog.at_level(logging.INFO, "paddle2torch"):
        result = paddle2torch.convert(source, tmp_path / "out")
    levels = {record.getMessage(): record.levelname for record in caplog.records if record.name == "paddle2torch"}
    assert levels["writing"] == "INFO"
    assert result.warnings and all(levels[warning] == "WARNING" for warning in result.warnings)
    silent = "import sys, paddle2torch as p; p.convert(sys.argv[1], sys.argv[2])"
    done = subprocess.run([sys.executable, "-c", silent, source, tmp_path / "b"], cwd=ROOT, capture_output=True)
    assert (done.stdout, done.stderr) == (b"", b"")


@pytest.mark.parametrize("name", SIX)
def test_every_argument_is_explained(name: str) -> None:
    function = getattr(paddle2torch, name)
    text = inspect.getdoc(function) or ""
    assert [one for one in inspect.signature(function).parameters if f"\n- {one}: " not in text] == []


@pytest.mark.parametrize(
    "kind", [BackConversion, Conversion, Evaluation, Inspection, Push, PushedFile, Report, Subject]
)
def test_every_field_is_explained(kind: type[Any]) -> None:
    text = inspect.getdoc(kind) or ""
    assert [one.name for one in fields(kind) if f"\n- {one.name}: " not in text] == []


def test_a_report_is_its_verdict(tmp_path: Path) -> None:
    paddle2torch.convert(write_folder(tmp_path / "in"), tmp_path / "out")
    report = paddle2torch.verify(tmp_path / "in", tmp_path / "out", static_only=True)
    assert report and report.check() is report
    assert "PASSED: nothing wrong in what was looked at" in repr(report) and len(repr(report)) < 300
    assert "ErnieMModel, " in repr(report) and "parameters" in repr(report)
    html = report._repr_html_()
    assert html.startswith('<div class="paddle2torch-report">') and "PASSED" in html and "<html" not in html
    report.problems.append(Problem("E401", "x differs"))
    assert not report and "FAILED" in repr(report) and "1 problem" in repr(report)
    with pytest.raises(VerificationError, match=r"error\[E401\]: x differs"):
        report.check()
