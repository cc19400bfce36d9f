"""What reaches a masked token through six layers, in float64: nothing of its own side's visible tokens, exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import ernie_m
from ernie_m import objectives
from ernie_m.objectives.attention import Array

MASK, VOCABULARY = 59, 60
SMALL = {"mask_token_id": MASK, "vocab_size": VOCABULARY}
PAIRS = [
    ([10, 11, 12, 13, 14, 15], [20, 21, 22, 23, 24, 25, 26, 27]),
    ([30, 31, 32, 33], [40, 41, 42, 43, 44]),
]


@pytest.fixture(scope="module", params=["eager", "sdpa"])
def model(request: Any) -> Any:
    """Six layers whose weights are so large that everything that is read moves the numbers."""
    config = ernie_m.ErnieMConfig(
        vocab_size=VOCABULARY, hidden_size=16, num_attention_heads=4, num_hidden_layers=6, max_position_embeddings=40,
        initializer_range=0.6, add_pooling_layer=False, attn_implementation=request.param,
    )  # fmt: skip
    torch.manual_seed(0)
    return ernie_m.ErnieMModel(config).double().eval()


def states(model: Any, inputs: Any, **changes: Array) -> torch.Tensor:
    """The last states [B, S, H]."""
    names = ("input_ids", "attention_mask", "position_ids")
    arrays = {name: torch.as_tensor(changes.get(name, inputs[name])) for name in names}
    with torch.no_grad():
        return model(**arrays).last_hidden_state


def largest_change(model: Any, inputs: Any, rule: Array, own: bool) -> float:
    """How far the state of any masked token moves when any visible token of its own (or of the other) side changes."""
    masked = inputs.input_ids == MASK
    before, largest = states(model, inputs, attention_mask=rule), 0.0
    for row, place in np.argwhere((inputs.side >= 0) & ~masked):
        ids = inputs.input_ids.copy()
        ids[row, place] = 50
        moved = (states(model, inputs, input_ids=ids, attention_mask=rule) - before)[row].abs().amax(-1)
        same = inputs.side[row] == inputs.side[row, place]
        largest = max(largest, float(moved[torch.as_tensor(masked[row] & (same == own))].max()))
    return largest


@pytest.fixture(scope="module")
def inputs() -> objectives.Inputs:
    return objectives.camlm(PAIRS, seed=3, ratio=0.4, **SMALL)


def test_nothing_of_its_own_side_reaches_a_masked_token(model: Any, inputs: objectives.Inputs) -> None:
    assert largest_change(model, inputs, inputs.attention_mask, own=True) == 0.0
    assert largest_change(model, inputs, inputs.attention_mask, own=False) > 0.05, "the other side does reach it"


def unsound_rules(inputs: objectives.Inputs) -> dict[str, Array]:
    """What visible tokens could be thought to read, and the rule of NAT-with-Ernie-M's code."""
    masked, side = inputs.input_ids == MASK, inputs.side
    same = side[:, :, None] == side[:, None, :]
    reader, read = masked[:, :, None], masked[:, None, :]
    real = (side >= 0)[:, None, :]
    for_masked = (same & read) | (~same & ~read)
    itself = np.eye(side.shape[1], dtype=bool) & reader
    return {
        "visible tokens read their whole side": np.where(reader, for_masked, same) & real,
        "visible tokens read the visible tokens of both sides": np.where(reader, for_masked, ~read) & real,
        "visible tokens read everything": np.where(reader, for_masked, True) & real,
        "every token reads the other side's visible tokens": ((~same & ~read) | itself) & real,
    }


@pytest.mark.parametrize("number", range(4))
def test_every_other_rule_leaks(model: Any, inputs: objectives.Inputs, number: int) -> None:
    rules = unsound_rules(inputs)
    assert len(rules) == 4
    rule = list(rules.values())[number]
    assert largest_change(model, inputs, rule, own=True) > 0.01, list(rules)[number]


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
