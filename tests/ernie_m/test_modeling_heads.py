"""Each head gives Paddle's logits, losses and gradients; where its losses differ from torch's, torch's are kept."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.ernie_m.recorded_numbers import OTHER_LOSS

TOLERANCE = 1e-12
CASES = [
    "sequence:no mask",
    "sequence:mask",
    "sequence:several labels",
    "sequence:regression, 3 numbers",
    "regression:one number",
    "regression:a column",
    "token:no mask",
    "token:mask",
    "question:no mask",
    "question:mask",
    "question:clamped",
    "choice:no mask",
    "choice:mask",
    "choice:mask, 4-D",
    "choice:flat 4-D mask",
    "choice:positions",
    "extraction:no mask",
    "extraction:mask",
]
QUIRKS = [
    "no mask, padding",
    "mask of ones",
    *(f"2-D mask, {kind}" for kind in ("bool", "float32", "fractions", "a row of zeros")),
    "position_ids",
    "position_ids, negative",
    *(f"4-D mask, {dtype}" for dtype in ("bool", "int64", "float64")),
    "inputs_embeds",
]
# Paddle's multiple choice and information extraction take no inputs_embeds, and multiple choice no 4-D mask of rows.
CASES += [f"{model}:{quirk}" for model in ("sequence", "token", "question") for quirk in QUIRKS]
CASES += [f"choice:{quirk}" for quirk in QUIRKS[:8]] + [f"extraction:{quirk}" for quirk in QUIRKS[:-1]]
OWN_LOSS = list(OTHER_LOSS)  # quirk 9


def test_no_recorded_case_is_left_out(reference: Any) -> None:
    models = ("sequence", "regression", "token", "question", "choice", "extraction")
    assert sorted(CASES + OWN_LOSS) == sorted(case for model in models for case in reference.cases(model))


@pytest.mark.parametrize("attn", ["eager", "sdpa"])
@pytest.mark.parametrize("case", CASES)
def test_outputs_losses_and_gradients_equal_paddles(reference: Any, difference: Any, case: str, attn: str) -> None:
    seen = {"outputs": 0, "losses": 0, "gradients": 0}
    for kind, site, value in reference.differences(case, attn):
        assert value < TOLERANCE, (kind, site)
        seen[kind] += 1
    recorded = reference.outputs(case)
    assert seen["outputs"] + seen["losses"] == len(recorded)
    assert seen["losses"] == int("loss" in recorded)
    assert (seen["gradients"] > 10) == ("loss" in recorded)


def test_ignored_labels_are_left_out_of_the_mean_as_in_torch(reference: Any, difference: Any) -> None:
    """Quirk 9: Paddle divides by all labels when ignore_index is negative; we divide by those that count."""
    inputs = reference.inputs("token:ignored")
    ours, paddle = reference.model_for("token:ignored", "eager")(**inputs), reference.outputs("token:ignored")
    counted = int((inputs["labels"] != -100).sum())
    assert 0 < counted < inputs["labels"].numel()
    assert difference(ours.logits.detach(), paddle["logits"]) < TOLERANCE
    as_paddle = ours.loss.detach() * counted / inputs["labels"].numel()
    assert difference(as_paddle, paddle["loss"]) < TOLERANCE


def test_a_loss_without_any_label_is_not_a_number_as_in_torch(reference: Any) -> None:
    """Quirk 9: Paddle's is 0."""
    inputs = reference.inputs("question:all ignored")
    assert float(reference.outputs("question:all ignored")["loss"]) == 0.0
    assert torch.isnan(reference.model_for("question:all ignored", "eager")(**inputs).loss)


def test_problem_type_is_found_and_kept_as_in_paddle(reference: Any) -> None:
    kinds = {"sequence:mask": "integers", "sequence:several labels": "floats", "regression:one number": "one label"}
    for case, fact in kinds.items():
        model = reference.model_for(case, "sdpa")
        model(**reference.inputs(case))
        assert model.config.problem_type == reference.facts[f"problem_type, {fact}"]


def test_the_number_of_choices_comes_from_the_input(tiny: Any) -> None:
    """Quirk 10: Paddle takes it from the configuration."""
    model = tiny("ErnieMForMultipleChoice")
    assert not hasattr(model.config, "num_choices")
    for choices in (1, 2, 5):
        assert model(torch.randint(4, 60, (2, choices, 6))).logits.shape == (2, choices)


def test_multiple_choice_takes_embeddings_and_masks_of_more_axes(tiny: Any) -> None:
    """Quirk 19: in the obvious sense, the choices come behind the batch."""
    model = tiny("ErnieMForMultipleChoice")
    ids = torch.randint(4, 60, (2, 3, 6))
    embeds = model.get_input_embeddings()(ids)
    mask = torch.ones(2, 3, 6)
    assert torch.equal(model(ids, mask).logits, model(inputs_embeds=embeds, attention_mask=mask).logits)
    square = torch.rand(2, 3, 6, 6) < 0.6
    square[..., 0] = True
    expected = model(ids, square[:, :, None]).logits
    assert torch.equal(expected, model(ids, square).logits)
    assert torch.equal(expected, model(ids, square.flatten(0, 1)).logits)
    assert not torch.allclose(expected, model(ids, mask).logits)
    with pytest.raises(ValueError, match=r"shape \[2, 6\], expected \[B, choices, S\]"):
        model(ids[:, 0])
    with pytest.raises(ValueError, match=r"inputs_embeds has shape \[2, 6, 16\], expected \[B, choices, S, 16\]"):
        model(inputs_embeds=embeds[:, 0])
    for given in ({}, {"input_ids": ids, "inputs_embeds": embeds}):
        with pytest.raises(ValueError, match="Give input_ids or inputs_embeds, and not both"):
            model(**given)


@pytest.mark.parametrize("name", ["QuestionAnswering", "InformationExtraction"])
def test_length_one_keeps_its_axis(tiny: Any, name: str) -> None:
    """The port's information extraction squeezes it away."""
    output = tiny(f"ErnieMFor{name}")(torch.tensor([[5], [6]]))
    assert output.start_logits.shape == output.end_logits.shape == (2, 1)


def test_information_extraction_targets_are_not_clamped_and_may_be_integers(tiny: Any) -> None:
    model, ids = tiny("ErnieMForInformationExtraction"), torch.randint(4, 60, (2, 4))
    marks = torch.tensor([[0, 1, 0, 0], [0, 0, 0, 1]])
    output = model(ids, start_positions=marks, end_positions=marks.flip(0))
    bce = torch.nn.functional.binary_cross_entropy_with_logits
    expected = (bce(output.start_logits, marks.float()) + bce(output.end_logits, marks.flip(0).float())) / 2
    assert torch.equal(output.loss, expected)
    weighted = model(ids, start_positions=marks * 9.0, end_positions=marks.flip(0) * 9.0)
    assert torch.equal(
        weighted.loss, (bce(output.start_logits, marks * 9.0) + bce(output.end_logits, marks.flip(0) * 9.0)) / 2
    )


WRONG_LABELS = [
    ("ErnieMForSequenceClassification", {"labels": torch.zeros(3, dtype=torch.long)}, r"\[3\], expected \[2\]"),
    ("ErnieMForSequenceClassification", {"labels": torch.zeros(2)}, r"labels has shape \[2\], expected \[2, 3\]"),
    ("ErnieMForTokenClassification", {"labels": torch.zeros(2, 5, dtype=torch.long)}, r"expected \[2, 6\]"),
    ("ErnieMForQuestionAnswering", {"start_positions": torch.zeros(2, 6), "end_positions": torch.zeros(2)}, "start"),
    (
        "ErnieMForInformationExtraction",
        {"start_positions": torch.zeros(2), "end_positions": torch.zeros(2)},
        r"\[2, 6\]",
    ),
]


@pytest.mark.parametrize(("name", "labels", "message"), WRONG_LABELS)
def test_labels_of_the_wrong_shape(tiny: Any, name: str, labels: dict[str, torch.Tensor], message: str) -> None:
    labelled = {} if "Question" in name or "Information" in name else {"num_labels": 3}
    with pytest.raises(ValueError, match=message):
        tiny(name, **labelled)(torch.randint(4, 60, (2, 6)), **labels)


def test_classifier_dropout_is_hidden_dropout_unless_given(tiny: Any) -> None:
    assert tiny("ErnieMForTokenClassification", hidden_dropout_prob=0.25).dropout.p == 0.25
    assert tiny("ErnieMForSequenceClassification", classifier_dropout=0.5).dropout.p == 0.5


def test_heads_return_tuples_with_the_loss_first(tiny: Any) -> None:
    model, ids = tiny("ErnieMForTokenClassification"), torch.randint(4, 60, (2, 6))
    loss, logits, states = model(ids, labels=torch.zeros_like(ids), output_hidden_states=True, return_dict=False)
    assert loss.shape == () and logits.shape == (2, 6, 2) and len(states) == 3
