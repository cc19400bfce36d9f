"""The masked LM against Paddle's encoder and head: from the release's folder, and from an earlier output."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file, save_file

from converter import convert
from tests.converter.open.names.test_pretraining_head import ASKED
from verify import verify
from verify.numbers.pytorch_process import Start
from verify.report.terminal import render_table

SAMPLE = "odd-release-mlm-extras"


@pytest.fixture(scope="module")
def traced(shared_data: Path, paddle_python: Path, ready: Start, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The sample, its conversion, the trace, and the report of their verification."""
    source, folder = shared_data / "checkpoints" / SAMPLE, tmp_path_factory.mktemp("masked")
    convert(source, folder / "out", **ASKED)
    trace = folder / "trace.safetensors"
    report = verify(source, folder / "out", record=trace, paddle_python=paddle_python, start=ready)
    return source, folder / "out", trace, report


def test_the_releases_head_equals_paddles_layers(traced: Any) -> None:
    """Every number of the sample's head is 1: its norm divides by next to nothing, which the limits must know."""
    *_, report = traced
    assert report.passed, render_table(report)
    assert any("the head of Baidu's pre-training of Paddle's own layers" in text for text in report.reference["how"])
    assert any("architecture=ErnieMForMaskedLM: taken from OUTPUT's config.json" in text for text in report.warnings)
    sites = {site.site for site in report.sites}
    assert {"lm_head.dense", "lm_head.layer_norm", "logits", "norm:lm_head.layer_norm", "linear:lm_head.dense"} < sites
    assert {site.case for site in report.sites if site.site == "loss"} == {"loss", "loss.rows"}
    gradients = {row.tensor for row in report.gradients}
    assert {"ernie_m.embeddings.word_embeddings.weight", "lm_head.bias", "lm_head.dense.weight"} < gradients


def test_an_earlier_output_is_verified_with_what_it_keeps_apart(
    traced: Any, paddle_python: Path, ready: Start, tmp_path: Path
) -> None:
    source, direct, *_ = traced
    convert(source, tmp_path / "earlier")
    convert(tmp_path / "earlier", tmp_path / "out", **ASKED)
    report = verify(tmp_path / "earlier", tmp_path / "out", paddle_python=paddle_python, start=ready)
    assert report.passed and report.behavior == "release", render_table(report)
    assert (tmp_path / "out" / "model.safetensors").read_bytes() == (direct / "model.safetensors").read_bytes()


def test_a_head_that_source_does_not_have_is_no_match(traced: Any, tmp_path: Path) -> None:
    """The encoder's own OUTPUT, and one whose head is another's."""
    source, output, *_ = traced
    shutil.copytree(source, tmp_path / "in")
    (tmp_path / "in" / "params" / "mask_lm_out_fc.b_0").unlink()
    with pytest.raises(Exception, match="E101.*no whole head for ErnieMForMaskedLM: missing mask_lm_out_fc.b_0"):
        verify(tmp_path / "in", output, static_only=True)


@pytest.mark.parametrize("name", ["lm_head.dense.bias", "lm_head.layer_norm.bias", "lm_head.bias"])
def test_a_damaged_head_fails_by_its_numbers(traced: Any, ready: Start, tmp_path: Path, name: str) -> None:
    _, output, trace, _ = traced
    shutil.copytree(output, tmp_path / "out", ignore=shutil.ignore_patterns("verification"))
    path = tmp_path / "out" / "model.safetensors"
    arrays: dict[str, Any] = {key: array.copy() for key, array in load_file(path).items()}
    arrays[name][3] += 1e-6
    save_file(arrays, path, {"format": "pt"})
    report = verify(None, tmp_path / "out", trace=trace, start=ready, static=False)
    assert not report.passed
    wrong = {site.site for site in report.sites if not site.passed}
    assert "logits" in wrong and ("lm_head.dense" in wrong) == (name == "lm_head.dense.bias")
