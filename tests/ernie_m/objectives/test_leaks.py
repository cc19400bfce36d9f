"""What reaches a masked token through six layers, in float64: nothing of its own side's visible tokens, exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import ernie_m
from ernie_m import objectives
from tests.ernie_m.objectives.leaks import (
    MASK,
    PAIRS,
    SMALL,
    SOUND,
    largest_change,
    make_inputs,
    make_model,
    rules,
    states,
)


@pytest.fixture(scope="module", params=["eager", "sdpa"])
def model(request: Any) -> Any:
    return make_model(request.param)


@pytest.fixture(scope="module")
def inputs() -> objectives.Inputs:
    return make_inputs()


def test_nothing_of_its_own_side_reaches_a_masked_token(model: Any, inputs: objectives.Inputs) -> None:
    assert largest_change(model, inputs, inputs.attention_mask, own=True) == 0.0
    assert largest_change(model, inputs, inputs.attention_mask, own=False) > 0.05, "the other side does reach it"


@pytest.mark.parametrize("number", range(4))
def test_every_other_rule_leaks(model: Any, inputs: objectives.Inputs, number: int) -> None:
    others = {name: rule for name, rule in rules(inputs).items() if name != SOUND}
    assert len(others) == 4
    name = list(others)[number]
    assert largest_change(model, inputs, others[name], own=True) > 0.01, name


def test_a_text_is_the_same_with_and_without_placeholders(model: Any) -> None:
    texts = [source for source, _ in PAIRS]
    with_them = states(model, objectives.placeholders(texts, pseudo_ratio=0.5, **SMALL))
    for row, text in enumerate(texts):
        ids = torch.tensor([[0, *text, 2]])
        with torch.no_grad():
            alone = model(ids, attention_mask=torch.ones_like(ids)).last_hidden_state[0]
        assert (with_them[row, : len(text) + 2] - alone).abs().max() < 1e-13


def test_placeholders_are_camlm_with_a_second_side_of_masks_alone(model: Any) -> None:
    masked = objectives.camlm(PAIRS, ratio=1.0, **SMALL)
    first = (masked.side == 0) & (masked.labels != -100)
    ids = np.where(first, masked.labels, masked.input_ids)  # the first side without its masks
    rule = objectives.attend_across(masked.side, ids == MASK)
    for row, (source, target) in enumerate(PAIRS):
        length = len(source) + len(target) + 4
        stage1 = objectives.placeholders([source], pseudo_ratio=len(target) / len(source), **SMALL)
        assert stage1.input_ids.tolist() == [ids[row, :length].tolist()]
        assert (stage1.attention_mask[0] == rule[row, :length, :length]).all()
        assert (stage1.position_ids[0] == masked.position_ids[row, :length]).all()
        camlm = states(model, masked, input_ids=ids, attention_mask=rule)[row, :length]
        assert (states(model, stage1)[0] - camlm).abs().max() < 1e-13


@pytest.mark.parametrize("name", ["mmlm", "tlm", "camlm", "placeholders", "btmlm"])
def test_padding_and_the_rest_of_the_batch_change_nothing(model: Any, name: str) -> None:
    first: Any = PAIRS if name in ("tlm", "camlm") else [source for source, _ in PAIRS]
    rest = [[target for _, target in PAIRS]] if name == "btmlm" else []

    def call(rows: slice) -> objectives.Inputs:
        return getattr(objectives, name)(first[rows], *(one[rows] for one in rest), **SMALL)

    together = states(model, call(slice(None)))
    for row in range(len(PAIRS)):
        alone = states(model, call(slice(row, row + 1)))[0]
        assert (together[row, : len(alone)] - alone).abs().max() < 1e-13
    padded = call(slice(None))
    where_padding = padded.side == -1
    assert where_padding.any()
    other = states(model, padded, input_ids=np.where(where_padding, 44, padded.input_ids))
    assert torch.equal(other[torch.as_tensor(~where_padding)], together[torch.as_tensor(~where_padding)])
    assert not torch.isnan(other).any()


def test_a_language_of_zeros_changes_nothing_and_one_that_is_trained_does() -> None:
    from ernie_m.objectives.languages import WithLanguages

    config = ernie_m.ErnieMConfig(
        vocab_size=60, hidden_size=16, num_attention_heads=4, num_hidden_layers=2, max_position_embeddings=40
    )
    torch.manual_seed(0)
    plain = ernie_m.ErnieMModel(config, add_pooling_layer=False).double().eval()
    inputs = objectives.camlm(PAIRS, languages=[(1, 2), (2, 1)], **SMALL)
    names = ("input_ids", "attention_mask", "position_ids", "language_ids")
    tensors = {name: torch.as_tensor(inputs[name]) for name in names}
    both = WithLanguages(plain, 3).eval()
    state = both(**tensors).last_hidden_state
    assert torch.equal(state, states(plain, inputs))
    state[0, :3].square().sum().backward()
    gradient = both.language_embeddings.weight.grad
    assert gradient is not None and gradient[1].abs().max() > 0 and (gradient[0] == 0).all()
    with torch.no_grad():
        both.language_embeddings.weight[1] += torch.linspace(-1, 1, 16, dtype=torch.float64)
        assert not torch.allclose(both(**tensors).last_hidden_state, state)
