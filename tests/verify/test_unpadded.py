"""An output with `paddlenlp-unpadded`: Paddle computes the same rule, and that rule is PaddleNLP's of single texts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converter.conversion import convert
from tests.support.fewer import without_tokens
from verify import Report, verify
from verify.numbers.pytorch_process import Start
from verify.results.trace import read_trace

UNPADDED = "paddlenlp-unpadded"


@pytest.fixture(scope="module")
def unpadded(
    checkpoints: dict[str, Path], paddle_python: Path, ready: Start, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path, Report]:
    """Output, trace and report of a live verification."""
    folder = tmp_path_factory.mktemp("unpadded")
    source, output, trace = checkpoints["ErnieMModel"], folder / "output", folder / "trace"
    convert(source, output, behavior=UNPADDED)
    return output, trace, verify(source, output, paddle_python=paddle_python, start=ready, record=trace)


def test_every_case_is_compared_under_the_rule(unpadded: tuple[Path, Path, Report]) -> None:
    _, trace, report = unpadded
    assert report.passed and report.checked == ["weights", "numbers", "tokens"], report.problems
    assert report.behavior == read_trace(trace).behavior == UNPADDED
    assert "one that hides ids 0 and 1: padding too" in " ".join(report.reference["how"])
    assert {site.case for site in report.sites} >= {"batch", "batch.mask", "ids.zero_and_pad"}


def test_padded_texts_have_the_numbers_of_paddlenlp_for_single_ones(
    unpadded: tuple[Path, Path, Report], verified: Callable[[str], Any]
) -> None:
    """The single texts go through a model with PaddleNLP's own rule, which Paddle's own trace has proved."""
    import torch

    import ernie_m

    trace = read_trace(unpadded[1])
    model = ernie_m.ErnieMModel.from_pretrained(verified("ErnieMModel").output, dtype=torch.float64).eval()
    assert model.config.implicit_mask_token_ids == [0]
    (case,) = [case for case in trace.cases if case.name == "ids.zero_and_pad"]
    with trace.arrays() as arrays:
        ids, recorded = arrays[case.input_key("input_ids")], arrays[case.site_key("pooler_output")]
    lengths = [int((row != 1).sum()) for row in ids]
    assert len({*lengths}) > 1
    with torch.no_grad():
        alone = [model(torch.from_numpy(row[None, :length])).pooler_output for row, length in zip(ids, lengths)]
        padded = model(torch.from_numpy(ids)).pooler_output
    assert np.abs(torch.cat(alone).numpy() - recorded).max() < 1e-12
    assert np.abs(padded.numpy() - recorded).max() > 1e-2, "PaddleNLP's own rule gives padded texts other numbers"


def test_a_folder_that_only_claims_the_rule_is_found(
    unpadded: tuple[Path, Path, Report], ready: Start, tmp_path: Path
) -> None:
    import shutil

    output, trace, _ = unpadded
    copy = shutil.copytree(output, tmp_path / "output", ignore=shutil.ignore_patterns("verification"))
    path = copy / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "implicit_mask_token_ids": [0]}))
    report = verify(None, copy, trace=without_tokens(trace, tmp_path / "numbers"), start=ready)
    assert {problem.code for problem in report.problems} >= {"E402", "E408"}
