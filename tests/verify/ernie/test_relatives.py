"""The families whose layers are ERNIE's, against Paddle itself: what is right passes, what is wrong is found."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.verify.ernie.conftest import RELATIVE_WITH_TOKENS, RELATIVES
from tests.verify.ernie.test_ernie_faults import Damage, exchange, last_place, set_field
from verify import Report, verify
from verify.numbers.pytorch_process import Start
from verify.protocol import wordpiece_calls
from verify.protocol.wordpiece_calls import LeftOut
from verify.report.terminal import render_table
from verify.results.numbers import share_of_limit
from verify.results.trace import read_trace

GENERATOR, ONE_EPSILON = "ElectraGenerator", "one-epsilon"
#: float32(1e-5), which is what Paddle computes with.
EPSILON = 9.999999747378752e-06


def behavior_of(name: str) -> str | None:
    return ONE_EPSILON if name == GENERATOR else None


@pytest.mark.parametrize("name", RELATIVES)
def test_every_class_passes_far_below_the_limit(relative: Callable[..., Any], name: str) -> None:
    whole = relative(name, behavior_of(name))
    report = whole.report
    assert report.passed, render_table(report)
    assert report.checked == ["weights", "numbers", *(["tokens"] if name == RELATIVE_WITH_TOKENS else [])]
    assert max(site.tolerance for site in report.sites) < 2e-12
    assert max(map(share_of_limit, [*report.sites, *report.gradients])) < 0.5
    assert {row.tensor for row in report.coverage if row.seen < row.elements} == set()
    assert read_trace(whole.trace).head["layer_norm_eps"] == [EPSILON]


def test_the_row_of_padding_is_left_out_where_paddle_gives_zeros(relative: Callable[..., Any]) -> None:
    """Electra's table gives it; there transformers' class gives it no gradient."""
    (left_out,) = relative("SkepForSequenceClassification").report.left_out
    assert "row 0 of word_embeddings" in left_out
    whole = relative("ElectraForTokenClassification")
    assert whole.report.left_out == []
    trace = read_trace(whole.trace)
    gradients = {entry["case"] for entry in trace.head["gradients"]}
    assert "batch.mask" in {case.name for case in trace.cases} and "batch.mask" not in gradients
    assert {"sentence.inside", "longest", "mask.words", "token_type_ids", "loss"} <= gradients


def test_what_these_classes_of_paddle_do_not_take_is_no_case(relative: Callable[..., Any]) -> None:
    names = {case.name for case in read_trace(relative("ElectraForTokenClassification").trace).cases}
    assert not {"inputs_embeds", "mask.float"} & names and {"mask.bool", "position_ids.low"} <= names
    names = {case.name for case in read_trace(relative("ErnieGramForQuestionAnswering").trace).cases}
    assert "inputs_embeds" not in names and "mask.float" in names


def test_a_generator_with_two_epsilons_fails_with_the_reason(relative: Callable[..., Any]) -> None:
    report = relative(GENERATOR).report
    shown = render_table(report)
    assert not report.passed
    assert report.first_difference is not None and report.first_difference.inputs_agree
    assert report.first_difference.site == "norm:generator_predictions.layer_norm"
    wrong = {site.site for site in report.sites if not site.passed}
    assert wrong == {"norm:generator_predictions.layer_norm", "logits", "loss"}
    assert f"known of {GENERATOR}: the norm of a masked-LM head has the epsilon 1e-12" in shown
    assert "known of" not in render_table(relative(GENERATOR, ONE_EPSILON).report)


def test_a_generator_with_one_epsilon_is_exact(
    make_ernie_checkpoint: Callable[..., None], verify_live: Callable[..., Any], tmp_path: Path
) -> None:
    make_ernie_checkpoint(tmp_path, "--architecture", GENERATOR, "--epsilon", "1e-12")
    (tmp_path / "vocab.txt").unlink()
    report = verify_live(tmp_path).report
    assert report.passed, render_table(report)


#: class, damage, what numbers alone say
SHOWN: dict[str, tuple[str, Damage, str]] = {
    "ERNIE's epsilon": ("ErnieGramForQuestionAnswering", set_field("layer_norm_eps", 1e-12), "norm:"),
    "not float32's epsilon": ("SkepForSequenceClassification", set_field("layer_norm_eps", 1e-5), "norm:"),
    "another epsilon": ("ElectraForTokenClassification", set_field("layer_norm_eps", 1e-12), "norm:"),
    "a type": (
        "SkepForSequenceClassification",
        last_place("ernie.embeddings.token_type_embeddings.weight", 3, 5),
        "token_type_embeddings",
    ),
    "the row of [PAD]": (
        "ElectraForTokenClassification",
        last_place("electra.embeddings.word_embeddings.weight", 0, 7),
        "word_embeddings",
    ),
    "activation": ("ErnieGramForQuestionAnswering", set_field("hidden_act", "relu"), "layers.0.linear2"),
    "q and k exchanged": (
        "ElectraForMultipleChoice",
        exchange(
            "electra.encoder.layer.1.attention.self.query.weight", "electra.encoder.layer.1.attention.self.key.weight"
        ),
        "layers.1.self_attn.q_proj",
    ),
    "the pooling layer": ("SkepForSequenceClassification", last_place("ernie.pooler.dense.weight", 2, 3), "pooler"),
    "a summary": ("ElectraForMultipleChoice", last_place("sequence_summary.summary.weight", 1, 4), "logits"),
    "a classifier": ("ElectraForSequenceClassification", last_place("classifier.dense.weight", 1, 4), "classifier"),
    "the head of replaced tokens": (
        "ErnieHealthDiscriminator",
        last_place("discriminator_predictions.dense_prediction.weight", 0, 4),
        "logits",
    ),
    "the norm of the generator's head": (
        GENERATOR,
        last_place("generator_predictions.LayerNorm.weight", 3),
        "generator_predictions.layer_norm",
    ),
    "the bias of the generator": (GENERATOR, last_place("generator_lm_head.bias", 5), "logits"),
}


@pytest.mark.parametrize("fault", SHOWN)
def test_numbers_alone_find_the_fault(relative: Callable[..., Any], ready: Start, tmp_path: Path, fault: str) -> None:
    name, damage, told = SHOWN[fault]
    report = verify_damaged(relative(name, behavior_of(name)), damage, ready, tmp_path)
    assert not report.passed
    assert told in render_table(report), render_table(report)


def verify_damaged(whole: Any, damage: Damage, ready: Start, folder: Path) -> Report:
    output = folder / "output"
    shutil.copytree(whole.output, output, ignore=shutil.ignore_patterns("verification"))
    damage(output)
    return verify(whole.source, output, trace=whole.numbers, static=False, start=ready)


def test_a_trace_alone_gives_the_epsilon_that_is_written(relative: Callable[..., Any], ready: Start) -> None:
    """PaddleNLP's config has 1e-5, the output the float32 that is nearest."""
    whole = relative("ElectraForQuestionAnswering")
    assert read_trace(whole.trace).head["config"]["layer_norm_eps"] == 1e-5
    report = verify(None, whole.output, trace=whole.numbers, start=ready)
    assert report.passed, render_table(report)


def test_guessed_offsets_are_not_compared() -> None:
    """PaddleNLP's class looks for its tokens' small letters in a text as it is, unless it knows that it lowers."""

    def subject(**attributes: Any) -> Any:
        tokenizer = SimpleNamespace(unk_token_id=9, **attributes)
        found = {"input_ids": [1], "offset_mapping": [(0, 1)]}
        return SimpleNamespace(tokenizer=tokenizer, text=lambda n: "A", call=lambda text, **options: found)

    with pytest.raises(LeftOut, match="small letters"):
        wordpiece_calls.offsets(subject(get_offset_mapping=None), 0)
    for sound in (subject(), subject(get_offset_mapping=None, do_lower_case=True)):
        assert wordpiece_calls.offsets(sound, 0) == [(0, 1)]
