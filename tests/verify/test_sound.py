"""What is right passes: all classes, formats and dtypes, against Paddle itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from converter.common.errors import ReferenceFailure
from tests.support.classes import ERNIE_M_CLASSES
from verify import verify
from verify.numbers.pytorch_process import Start
from verify.report.terminal import render_table
from verify.results.numbers import ZERO_ROW, share_of_limit


@pytest.mark.parametrize("name", ERNIE_M_CLASSES)
def test_every_class_passes_far_below_the_limit(verified: Callable[[str], Any], name: str) -> None:
    report = verified(name).report
    assert report.passed, render_table(report)
    assert report.checked == ["weights", "numbers", "tokens"]
    assert report.tokenizer is not None and report.tokenizer.texts > 300 and report.tokenizer.mismatched == 0
    assert max(site.tolerance for site in report.sites if not site.case.startswith(ZERO_ROW)) < 2e-12
    assert max(map(share_of_limit, [*report.sites, *report.gradients])) < 0.5


@pytest.mark.parametrize(
    ("name", "site"),
    [
        ("ErnieMModel", "pooler_output"),
        ("ErnieMForSequenceClassification", "loss"),
        ("ErnieMForTokenClassification", "loss"),
        ("ErnieMForQuestionAnswering", "end_logits"),
        ("ErnieMForMultipleChoice", "logits"),
        ("UIEM", "start_prob"),
        *(("ErnieMForMaskedLM", site) for site in ("lm_head.dense", "lm_head.layer_norm", "logits", "loss")),
    ],
)
def test_each_head_is_looked_at(verified: Callable[[str], Any], name: str, site: str) -> None:
    assert site in {result.site for result in verified(name).report.sites}


def test_matrices_in_column_order(fortran: Any) -> None:
    assert fortran.report.passed, render_table(fortran.report)
    assert "no tokenizer was compared" in " ".join(fortran.report.warnings)


def test_uiem_with_the_names_and_the_config_of_old_releases(
    make_checkpoint: Callable[..., None], verify_live: Callable[..., Any], tmp_path: Path
) -> None:
    make_checkpoint(tmp_path, "--architecture", "UIEM", "--format", "encoder-prefix")
    report = verify_live(tmp_path).report
    assert report.passed, render_table(report)
    assert "flattened by the recorder" in report.reference["how"][0]
    assert "`encoder.` was read as `ernie_m.`" in report.reference["how"][1]


def test_half_precision_and_float32(
    make_checkpoint: Callable[..., None], verify_live: Callable[..., Any], tmp_path: Path
) -> None:
    make_checkpoint(tmp_path, "--dtype", "bfloat16", "--format", "safetensors-sharded")
    report = verify_live(tmp_path, precision="float32").report
    assert report.passed, render_table(report)
    assert report.precision == "float32" and report.static.rounded == 0
    limits = {site.tolerance for site in report.sites if not site.case.startswith(ZERO_ROW)}
    assert min(limits) > 1e-8 and max(limits) < 2e-3


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_an_output_in_another_dtype_is_compared_with_rounded_weights(
    verified: Callable[[str], Any], verify_live: Callable[..., Any], ready: Start, dtype: str
) -> None:
    exact = verified("ErnieMModel")
    rounded = verify_live(exact.source, dtype=dtype)
    assert rounded.report.passed, render_table(rounded.report)
    assert rounded.report.static.rounded == 54
    assert f"weights rounded to {dtype}, as OUTPUT's are" in rounded.report.reference["how"]
    with pytest.raises(ReferenceFailure, match=rf"E605.*in the source's dtype.*rounded to {dtype}"):
        verify(exact.source, rounded.output, trace=exact.trace, start=ready)


def test_report_says_what_it_rests_on(verified: Callable[[str], Any]) -> None:
    whole = verified("ErnieMModel")
    written = json.loads((whole.report_folder / "report.json").read_text())
    assert written["passed"] is True and written["precision"] == "float64"
    assert written["static"] == {"tensors": 54, "mismatched": [], "against": "source", "rounded": 0}
    assert {"case", "site", "max_abs", "max_rel", "tolerance", "passed"} <= set(written["sites"][0])
    assert written["tokenizer"]["mismatched"] == 0
    assert {"tensor", "case", "max_abs", "max_rel", "tolerance", "passed"} <= set(written["gradients"][0])
    assert 0 < written["noise"]["share_of_limit"] < 0.5 and 0 < written["noise"]["gradients"]["share_of_limit"] < 0.5
    assert {"model.safetensors", "config.json", "vocab.txt", "modeling_ernie_m.py"} <= set(written["files"])
    assert written["reference"]["kind"] == "live" and "paddlenlp" in written["reference"]["environment"]
    assert str(whole.source) not in json.dumps(written)
    assert {path.name for path in whole.report_folder.iterdir()} == {"report.html", "report.json", "junit.xml"}


def test_a_trace_judges_without_source_and_without_paddle(
    verified: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a process of its own, as the command does it, and with nothing left behind in OUTPUT."""
    monkeypatch.setenv("PADDLE2TORCH_PADDLE_PYTHON", "/nowhere")
    whole = verified("UIEM")
    before = {path.name for path in whole.output.iterdir()}
    report = verify(None, whole.output, trace=whole.trace, report_dir=tmp_path / "report")
    assert report.passed, render_table(report)
    assert report.reference["kind"] == "trace" and report.static is not None and report.static.against == "trace"
    assert {path.name for path in whole.output.iterdir()} == before


def test_harmless_changes_pass(
    verified: Callable[[str], Any], copy_output: Callable[[Any], Path], ready: Start
) -> None:
    from safetensors.numpy import load_file, save_file

    whole = verified("ErnieMModel")
    output = copy_output(whole)
    (output / "README.md").write_text("edited")
    config = json.loads((output / "config.json").read_text())
    (output / "config.json").write_text(json.dumps(dict(sorted(config.items())), indent=7))
    tensors = load_file(output / "model.safetensors")
    (output / "model.safetensors").unlink()
    names = sorted(tensors, reverse=True)
    weight_map = {}
    for number, part in enumerate((names[::2], names[1::2]), 1):
        file = f"model-0000{number}-of-00002.safetensors"
        save_file({name: tensors[name] for name in part}, output / file, metadata={"format": "pt"})
        weight_map.update(dict.fromkeys(part, file))
    (output / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    with (output / "modeling_ernie_m.py").open("a") as file:
        file.write("\n# a comment\n")
    report = verify(whole.source, output, trace=whole.few_calls, start=ready)
    assert report.passed, render_table(report)
    assert any("modeling_ernie_m.py is not the file" in warning for warning in report.warnings)


def test_the_verdict_speaks_of_the_whole_model_only_when_all_was_looked_at(verified: Callable[[str], Any]) -> None:
    whole = verified("ErnieMModel")
    assert render_table(whole.report).startswith(
        "PASSED: OUTPUT is the same model\nLooked at: weights, numbers (float64), tokens.\n"
    )
    part = verify(whole.source, whole.output, static_only=True)
    assert render_table(part).startswith(
        "PASSED: nothing wrong in what was looked at\nLooked at: weights. Not looked at: numbers, tokens.\n"
    )
