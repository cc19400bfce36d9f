"""What is right passes: every class of ERNIE in transformers' own class, against Paddle itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.classes import ERNIE_CLASSES
from verify import verify
from verify.numbers.pytorch_process import Start
from verify.report.html.page import render_page
from verify.report.summary import render_summary
from verify.report.terminal import render_table
from verify.results.numbers import BASE_LOAD, share_of_limit
from verify.results.trace import read_trace

#: Kinds of comparison besides those that every class has.
OWN_ROWS = {
    "ErnieModel": {"pooler"},
    "ErnieForSequenceClassification": {"pooler", "logits", "loss"},
    "ErnieForTokenClassification": {"logits", "loss"},
    "ErnieForQuestionAnswering": {"logits", "loss"},
    "ErnieForMultipleChoice": {"pooler", "logits", "loss"},
    "ErnieForMaskedLM": {"logits", "loss", BASE_LOAD},
    "ErnieForPretraining": {"pooler", "logits", "loss"},
    "UIE": {"pooler", "logits", "probabilities"},
}
COMMON_ROWS = {
    *("weights", "word, position, token and task rows", "embeddings", "norms alone", "linear layers alone"),
    *("inside the layers", "attention probabilities", "hidden states", "gradients", "other uses", "default load"),
    "tokens",
}


@pytest.mark.parametrize("name", ERNIE_CLASSES)
def test_every_class_passes_far_below_the_limit(ernie: Callable[[str], Any], name: str) -> None:
    report = ernie(name).report
    assert report.passed, render_table(report)
    assert report.checked == ["weights", "numbers", "tokens"]
    assert max(site.tolerance for site in report.sites) < 2e-12
    assert max(map(share_of_limit, [*report.sites, *report.gradients])) < 0.5
    from verify.report.rows import result_rows

    assert {row.what for row in result_rows(report)} == COMMON_ROWS | OWN_ROWS[name]
    # Every element of every tensor is seen by some check of the numbers, but the row that Paddle gives as zeros.
    unseen = {row.tensor for row in report.coverage if row.seen < row.elements}
    assert unseen == set()


def test_the_cases_are_what_both_can_do(ernie: Callable[[str], Any]) -> None:
    trace = read_trace(ernie("ErnieModel").trace)
    cases = {case.name: case for case in trace.cases}
    assert {"token_type_ids", "token_type_ids.pair", "task_type_ids", "mask.words", "inputs_embeds"} <= set(cases)
    assert cases["task_type_ids"].through == "backbone"
    assert not {"ids.zero_and_pad", "mask.zero_row", "mask.4d.int"} & set(cases)
    with trace.arrays() as arrays:
        types = arrays[cases["token_type_ids"].input_key("token_type_ids")]
        assert sorted(set(types.ravel().tolist())) == [0, 1, 2, 3]
        for case in trace.cases:
            if "input_ids" in case.inputs:
                padded = arrays[case.input_key("input_ids")] == 0
                # [PAD] is only where a mask hides it, and its numbers are left out.
                assert padded.any() == (case.left_out == 0), case.name
                assert not padded.any() or not arrays[case.input_key("attention_mask")][padded].any()
    assert trace.head["layer_norm_eps"] == [9.999999960041972e-13]
    assert all(
        trace.head["cases"][number].get("gradient") is None
        for number, case in enumerate(trace.cases)
        if case.left_out == 0
    )


def test_the_report_names_what_is_left_out_and_the_release_that_computed(ernie: Callable[[str], Any]) -> None:
    import transformers

    report = ernie("ErnieForMaskedLM").report
    (left_out,) = report.left_out
    assert "id 0, [PAD], in 5 of" in left_out and "row 0 of word_embeddings" in left_out
    for text in (render_table(report), render_summary(report), render_page(report)):
        assert "gives zeros" in text and transformers.__version__ in text
    written = json.loads((ernie("ErnieForMaskedLM").report_folder / "report.json").read_text())
    assert written["left_out"] == report.left_out
    assert written["environment"]["output"]["transformers"] == transformers.__version__


def test_a_row_of_padding_that_is_zero_is_compared_like_any_other(
    make_ernie_checkpoint: Callable[..., None], verify_live: Callable[..., Any], tmp_path: Path
) -> None:
    """And relu, no task types, the epsilon of Baidu's own code."""
    name = "ErnieForSequenceClassification"
    make_ernie_checkpoint(tmp_path, "--architecture", name, "--no-tasks", "--act", "relu")
    whole = verify_live(tmp_path)
    assert whole.report.passed, render_table(whole.report)
    assert whole.report.left_out == []
    assert "task_type_embeddings" not in {site.site for site in whole.report.sites}
    assert any(entry["case"] == "batch.mask" for entry in read_trace(whole.trace).head["gradients"])


def test_the_epsilon_of_the_release(ernie_checkpoints: Path, paddle_python: Path, ready: Start, tmp_path: Path) -> None:
    from converter.conversion import convert

    source, output, trace = ernie_checkpoints / "ErnieModel", tmp_path / "out", tmp_path / "trace"
    convert(source, output, behavior="release")
    report = verify(source, output, record=trace, paddle_python=paddle_python, start=ready)
    assert report.passed, render_table(report)
    assert read_trace(trace).head["layer_norm_eps"] == [9.999999747378752e-06]
    assert "every LayerNorm was given the epsilon 1e-05" in " ".join(report.reference["how"])
