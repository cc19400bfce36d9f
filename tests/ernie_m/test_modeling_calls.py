"""Calls that PaddleNLP and transformers' port both answer are answered here, with the same result."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import torch
from torch.nn import functional

IDS = torch.tensor([[0, 7, 8, 9, 10, 2], [0, 11, 12, 2, 1, 1]])
POSITIONS = torch.tensor([1, 3])
CLASSES = [
    "ErnieMModel",
    "ErnieMForSequenceClassification",
    "ErnieMForTokenClassification",
    "ErnieMForQuestionAnswering",
    "ErnieMForInformationExtraction",
    "ErnieMForMultipleChoice",
]
MARKS = torch.zeros(2, 6).index_fill(1, torch.tensor([2]), 1.0)


@pytest.mark.parametrize("given", ["start_positions", "end_positions"])
@pytest.mark.parametrize(("name", "value"), [("QuestionAnswering", POSITIONS), ("InformationExtraction", MARKS)])
def test_one_of_two_positions_gives_logits_and_no_loss(tiny: Any, name: str, value: torch.Tensor, given: str) -> None:
    model = tiny(f"ErnieMFor{name}")
    output, plain = model(IDS, **{given: value}), model(IDS)
    assert output.loss is None and list(output) == list(plain) == ["start_logits", "end_logits"]
    assert torch.equal(output.start_logits, plain.start_logits) and torch.equal(output.end_logits, plain.end_logits)
    assert len(model(IDS, **{given: value}, return_dict=False)) == 2
    assert model(IDS, start_positions=value, end_positions=value).loss.ndim == 0


def test_paddle_answers_these_calls_so(reference: Any) -> None:
    assert reference.facts["start_positions alone have a loss"] is False
    assert reference.facts["end_positions alone have a loss"] is False
    assert reference.facts["flat labels have the loss of rows"] is True
    assert reference.facts["outputs of question answering with three labels"] == 2


@pytest.mark.parametrize("labels", [0, 1, 3, 7])
def test_question_answering_has_a_start_and_an_end_whatever_the_labels(tiny: Any, labels: int) -> None:
    """A Paddle folder with three labels converts to this, too; Paddle's class has 2 in its code."""
    expected, model = tiny("ErnieMForQuestionAnswering"), tiny("ErnieMForQuestionAnswering", num_labels=labels)
    assert model.qa_outputs.weight.shape == (2, 16)
    assert torch.equal(model(IDS).start_logits, expected(IDS).start_logits)


def test_labels_that_are_not_used_are_warned_of(tiny: Any, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("transformers").propagate = True
    try:
        tiny("ErnieMForQuestionAnswering")
        assert not caplog.records
        tiny("ErnieMForQuestionAnswering", num_labels=3)
        assert "config.num_labels 3 is not used" in caplog.text
    finally:
        logging.getLogger("transformers").propagate = False


@pytest.mark.parametrize("name", CLASSES)
def test_token_types_that_are_all_zero_ask_for_nothing(tiny: Any, name: str) -> None:
    model = tiny(name)
    ids = IDS[:, None] if name == "ErnieMForMultipleChoice" else IDS
    plain = model(ids, return_dict=False)
    for types in (torch.zeros_like(ids), torch.zeros_like(ids, dtype=torch.int32), torch.zeros(1, 6)):
        assert all(map(torch.equal, plain, model(ids, token_type_ids=types, return_dict=False)))
    for types in (torch.eye(2, 6, dtype=torch.long), torch.ones_like(ids), [[0] * 6] * 2):
        with pytest.raises(ValueError, match="Leave token_type_ids out: ERNIE-M has no .* token types"):
            model(ids, token_type_ids=types)


def test_where_values_cannot_be_looked_at_token_types_stay_refused(tiny: Any) -> None:
    """A graph that was traced with zeros would take ones later."""
    model = tiny()
    with pytest.raises(ValueError, match="Leave token_type_ids out"):
        torch.jit.trace(lambda ids, types: model(ids, token_type_ids=types)[0], (IDS, torch.zeros_like(IDS)))
    with torch.device("meta"), pytest.raises(ValueError, match="Leave token_type_ids out"):
        tiny()(torch.zeros(2, 6, dtype=torch.long), token_type_ids=torch.zeros(2, 6))


def test_labels_of_tokens_may_be_flat(tiny: Any) -> None:
    """Paddle and the port flatten them; another order of axes, which they take as well, stays an error."""
    model, labels = tiny("ErnieMForTokenClassification", num_labels=3), torch.randint(0, 3, (2, 6))
    labels[0, :2] = -100
    loss = model(IDS, labels=labels).loss
    assert torch.equal(loss, model(IDS, labels=labels.reshape(-1)).loss)
    assert torch.equal(loss, model(IDS, labels=labels.unsqueeze(-1).int()).loss)
    with pytest.raises(ValueError, match=r"labels has shape \[6, 2\], expected \[2, 6\]"):
        model(IDS, labels=labels.T)


def test_positions_outside_a_text_are_left_out_of_the_mean(tiny: Any) -> None:
    model = tiny("ErnieMForQuestionAnswering")
    output = model(IDS, start_positions=torch.tensor([1, 6]), end_positions=torch.tensor([-4, 99]))
    expected = functional.cross_entropy(output.start_logits[:1], torch.tensor([1]))
    expected = (expected + functional.cross_entropy(output.end_logits[:1], torch.tensor([0]))) / 2
    assert torch.allclose(output.loss, expected)


@pytest.mark.parametrize("kind", ["regression", "single_label_classification", "multi_label_classification"])
def test_a_problem_type_decides_the_loss_whatever_the_dtype_of_labels(tiny: Any, kind: str) -> None:
    model = tiny("ErnieMForSequenceClassification", num_labels=3, problem_type=kind)
    single = kind == "single_label_classification"
    labels = torch.tensor([2, 0]) if single else torch.tensor([[0, 1, 1], [1, 0, 0]])
    losses = [model(IDS, labels=labels.to(dtype)).loss for dtype in (torch.long, torch.int32, torch.float32)]
    assert torch.equal(losses[0], losses[1]) and torch.equal(losses[0], losses[2])
    logits = model(IDS).logits
    expected = {
        "regression": lambda: functional.mse_loss(logits, labels.float()),
        "single_label_classification": lambda: functional.cross_entropy(logits, labels),
        "multi_label_classification": lambda: functional.binary_cross_entropy_with_logits(logits, labels.float()),
    }[kind]()
    assert torch.equal(losses[0], expected)
