"""Calls of the heads that transformers 4.57's port answers: ours gives the same loss, or none where that has none."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers.models.deprecated import ernie_m as port

import ernie_m

IDS = torch.tensor([[0, 7, 8, 9, 10, 2], [0, 11, 12, 13, 2, 5]])
MASK = torch.ones_like(IDS)
TAGS = torch.tensor([[0, 1, 2, -100, 1, 0], [-100, 2, 2, 1, 0, -100]])
NUMBERS = torch.tensor([[0.5, -1.0, 2.0], [0.0, 1.0, -0.25]])
SEVERAL = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
SPANS = torch.tensor([[0.0, 1, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0]])
FIRST, LAST = torch.tensor([1, 9]), torch.tensor([-3, 4])
CHOICES = {"input_ids": torch.stack([IDS, IDS.flip(0)]), "attention_mask": torch.ones(2, 2, 6, dtype=torch.long)}
SEQUENCE, TOKEN, ANSWER = "SequenceClassification", "TokenClassification", "QuestionAnswering"
CHOICE, SPAN = "MultipleChoice", "InformationExtraction"
TWO = {"num_labels": 2}
#: what -> the class, fields of its configuration, inputs
CALLS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "one class": (SEQUENCE, {}, {"labels": torch.tensor([2, 0])}),
    "one class, a column": (SEQUENCE, {}, {"labels": torch.tensor([[2], [0]])}),
    "one class, left out": (SEQUENCE, {}, {"labels": torch.tensor([2, -100])}),
    "several labels": (SEQUENCE, {}, {"labels": SEVERAL}),
    "several labels by name": (SEQUENCE, {"problem_type": "multi_label_classification"}, {"labels": SEVERAL}),
    "numbers": (SEQUENCE, {"problem_type": "regression"}, {"labels": NUMBERS}),
    "one number": (SEQUENCE, {"num_labels": 1}, {"labels": NUMBERS[0, :2]}),
    "one number, a column": (SEQUENCE, {"num_labels": 1}, {"labels": NUMBERS[:, :1]}),
    "no labels": (SEQUENCE, {}, {}),
    "no labels, None": (SEQUENCE, {}, {"labels": None}),
    "tags": (TOKEN, {}, {"labels": TAGS}),
    "tags, flat": (TOKEN, {}, {"labels": TAGS.flatten()}),
    "tags, a column": (TOKEN, {}, {"labels": TAGS[..., None]}),
    "an answer": (ANSWER, TWO, {"start_positions": FIRST % 6, "end_positions": LAST % 6}),
    "an answer outside": (ANSWER, TWO, {"start_positions": FIRST, "end_positions": LAST}),
    "an answer, columns": (ANSWER, TWO, {"start_positions": FIRST[:, None], "end_positions": LAST[:, None]}),
    "a start alone": (ANSWER, TWO, {"start_positions": FIRST}),
    "an end alone": (ANSWER, TWO, {"end_positions": LAST}),
    "spans": (SPAN, {}, {"start_positions": SPANS, "end_positions": SPANS.flip(0)}),
    "starts alone": (SPAN, {}, {"start_positions": SPANS}),
    "a choice": (CHOICE, {}, {**CHOICES, "labels": torch.tensor([1, 0])}),
    "a choice without labels": (CHOICE, {}, {**CHOICES, "labels": None}),
    "positions in one row": (SEQUENCE, {}, {"position_ids": torch.arange(6).flip(0)[None]}),
    "vectors": (TOKEN, {}, {"input_ids": None, "inputs_embeds": torch.linspace(-1, 1, 192).view(2, 6, 16)}),
}  # fmt: skip


@pytest.mark.parametrize("return_dict", [True, False])
@pytest.mark.parametrize("call", CALLS)
@torch.no_grad()
def test_the_port_and_this_model_answer_alike(call: str, return_dict: bool) -> None:
    name, fields, inputs = CALLS[call]
    if name == SPAN and not return_dict:
        pytest.skip("the port's information extraction fails for a tuple")
    sizes = {"vocab_size": 60, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = {**sizes, "intermediate_size": 64, "max_position_embeddings": 20, "initializer_range": 0.5}
    config.update({"num_labels": 3, "act_dropout": 0.0, **fields})
    torch.manual_seed(0)
    theirs = getattr(port, f"ErnieMFor{name}")(port.ErnieMConfig(**config)).eval()
    rules = {"implicit_mask_token_ids": [1], "attention_mask_value": None, "layer_norm_eps": 1e-5}
    ours = getattr(ernie_m, f"ErnieMFor{name}")(ernie_m.ErnieMConfig(**config, **rules)).eval()
    ours.load_state_dict(theirs.state_dict())
    given = {"input_ids": IDS, "attention_mask": MASK, **inputs, "return_dict": return_dict}
    # The port adds 2 to the caller's position_ids.
    found, expected = (model(**{**given, **copied(inputs)}) for model in (ours, theirs))
    if return_dict:
        assert list(found) == list(expected)
        found, expected = tuple(found.values()), tuple(expected.values())
    assert len(found) == len(expected)
    for ours_value, value in zip(found, expected):
        assert torch.allclose(ours_value, value, rtol=0, atol=2e-5 * max(1.0, float(value.abs().max())))


def copied(inputs: dict[str, Any]) -> dict[str, Any]:
    return {name: value.clone() if isinstance(value, torch.Tensor) else value for name, value in inputs.items()}


def test_answers_have_two_outputs_where_the_port_fails() -> None:
    """With three labels the port makes a layer that it cannot take apart; PaddleNLP's class has 2 in its code."""
    sizes = {"vocab_size": 60, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 4, "num_labels": 3}
    with pytest.raises(ValueError, match="too many values to unpack"):
        port.ErnieMForQuestionAnswering(port.ErnieMConfig(**sizes))(IDS, attention_mask=MASK)
    assert ernie_m.ErnieMForQuestionAnswering(ernie_m.ErnieMConfig(**sizes))(IDS).start_logits.shape == (2, 6)
