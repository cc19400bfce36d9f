"""Batches of tensors, and the pseudo tokens that a model writes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import ernie_m
from ernie_m import objectives
from ernie_m.objectives.languages import WithLanguages

MASK, VOCABULARY = 59, 60
SMALL = {"mask_token_id": MASK, "vocab_size": VOCABULARY}
TEXTS = [[10, 11, 12, 13, 14, 15], [20, 21], [30, 31, 32, 33]]


@pytest.fixture(scope="module")
def model() -> Any:
    config = ernie_m.ErnieMConfig(
        vocab_size=VOCABULARY, hidden_size=16, num_attention_heads=4, num_hidden_layers=2, max_position_embeddings=66,
        initializer_range=0.5,
    )  # fmt: skip
    torch.manual_seed(0)
    return ernie_m.ErnieMForMaskedLM(config).double()


@pytest.fixture
def stage1() -> objectives.Inputs:
    return objectives.placeholders(TEXTS, pseudo_ratio=1.0, **SMALL)


def test_every_placeholder_gets_its_most_probable_token(model: Any, stage1: objectives.Inputs) -> None:
    found = objectives.fill_placeholders(model, stage1)
    model.eval()
    with torch.no_grad():
        tensors = objectives.to_tensors(stage1)
        del tensors["labels"]
        logits = model(**tensors).logits
    allowed = [token for token in range(VOCABULARY) if token not in (0, 1, 2, 3, MASK)]
    for row, text in enumerate(TEXTS):
        places = np.flatnonzero(stage1.input_ids[row] == MASK)
        expected = [allowed[int(logits[row, place, allowed].argmax())] for place in places]
        assert len(places) == len(text) and found[row] == expected
    assert objectives.btmlm(TEXTS, found, **SMALL).input_ids.shape == stage1.input_ids.shape


def test_special_tokens_are_never_written(stage1: objectives.Inputs) -> None:
    class Special(torch.nn.Module):
        """A model that holds the special tokens, [MASK] first, for by far the most probable."""

        def __init__(self) -> None:
            super().__init__()
            self.one = torch.nn.Parameter(torch.zeros(1))

        def forward(self, labels: Any, full_logits: bool, **inputs: Any) -> Any:
            logits = torch.zeros(int((labels != -100).sum()), VOCABULARY)
            logits[:, [0, 1, 2, 3]] = 50.0
            logits[:, MASK] = 60.0
            return type("Output", (), {"logits": logits})

    for seed in (None, *range(20)):
        written = {token for row in objectives.fill_placeholders(Special(), stage1, seed=seed) for token in row}
        assert not written & {0, 1, 2, 3, MASK}


def test_what_a_row_gets_does_not_depend_on_its_batch(model: Any, stage1: objectives.Inputs) -> None:
    for seed in (None, 7):
        together = objectives.fill_placeholders(model, stage1, seed=seed)
        for row, text in enumerate(TEXTS):
            alone = objectives.placeholders([text], pseudo_ratio=1.0, **SMALL)
            assert objectives.fill_placeholders(model, alone, seed=seed) == [together[row]]


def test_drawn_tokens_follow_their_probabilities(model: Any) -> None:
    stage1 = objectives.placeholders([[10, 11]], pseudo_ratio=0.5, **SMALL)
    draws = [objectives.fill_placeholders(model, stage1, seed=seed)[0][0] for seed in range(400)]
    assert draws[:5] == [objectives.fill_placeholders(model, stage1, seed=seed)[0][0] for seed in range(5)]
    tensors = objectives.to_tensors(stage1)
    del tensors["labels"]
    with torch.no_grad():
        logits = model.eval()(**tensors).logits[0, 5]
    logits[[0, 1, 2, 3, MASK]] = -torch.inf
    shares = logits.softmax(-1).numpy()
    counts = np.bincount(draws, minlength=VOCABULARY)
    assert (abs(counts - 400 * shares) <= 5 * np.sqrt(400 * shares * (1 - shares)) + 1e-9).all()
    assert (counts > 0).sum() > 3


def test_dropout_is_off_gradients_are_off_and_the_mode_stays(model: Any, stage1: objectives.Inputs) -> None:
    for training in (True, False):
        model.train(training)
        torch.manual_seed(5)
        state = torch.get_rng_state()
        first = objectives.fill_placeholders(model, stage1)
        assert torch.equal(torch.get_rng_state(), state), "random numbers were used"
        assert model.training == training and first == objectives.fill_placeholders(model, stage1)
    assert all(parameter.grad is None for parameter in model.parameters())


def test_tensors_are_taken_as_arrays_are(model: Any, stage1: objectives.Inputs) -> None:
    tensors = {name: torch.as_tensor(array) for name, array in stage1.items()}
    assert objectives.fill_placeholders(model, tensors) == objectives.fill_placeholders(model, stage1)


def test_languages_reach_the_model(model: Any) -> None:
    plain = objectives.placeholders(TEXTS, pseudo_ratio=1.0, **SMALL)
    both = WithLanguages(model, 4)
    written = {}
    for language in (1, 2):
        with_language = objectives.placeholders(TEXTS, pseudo_ratio=1.0, languages=[(0, language)] * 3, **SMALL)
        assert objectives.fill_placeholders(both, with_language) == objectives.fill_placeholders(model, plain)
        written[language] = with_language
    with torch.no_grad():
        both.language_embeddings.weight[2] = 4 * torch.randn(16, dtype=torch.float64)
    first, second = (objectives.fill_placeholders(both, written[language]) for language in (1, 2))
    assert first != second


@pytest.mark.parametrize("change", ["a visible token among them", "none in a row"])
def test_what_is_no_batch_of_placeholders_is_refused(model: Any, stage1: objectives.Inputs, change: str) -> None:
    arrays = dict(stage1)
    ids, places = arrays["input_ids"].copy(), np.argwhere(stage1.input_ids == MASK)
    ids[tuple(places[0])] = 9
    if change == "none in a row":
        ids = np.where(stage1.side == 1, 2, stage1.input_ids)
    with pytest.raises(ValueError, match="no batch of placeholders"):
        objectives.fill_placeholders(model, {**arrays, "input_ids": ids})


def test_a_collator_makes_the_tensors_of_its_function() -> None:
    pairs = [([10, 11, 12], [20, 21]), ([13], [22, 23, 24])]
    collate = objectives.Collator("camlm", seed=3, options={**SMALL, "ratio": 0.5}, keep_side=True)
    found = collate([{"pair": pair, "draw": 8} for pair in pairs])
    expected = objectives.camlm(pairs, seed=(3, 8), ratio=0.5, **SMALL)
    assert found.keys() == set(expected)
    assert all(torch.equal(found[name], torch.as_tensor(expected[name])) for name in found)
    plain = objectives.Collator("mmlm", options=SMALL)([{"text": [10, 11]}])
    assert plain.keys() == {"input_ids", "attention_mask", "position_ids", "labels"}
    empty = objectives.Collator("placeholders", options=SMALL)([{"text": [10, 11]}])
    assert (empty["labels"] == -100).all() and (empty["input_ids"] == MASK).sum() == 1


def test_a_collator_refuses_what_it_does_not_know_and_mixed_draws() -> None:
    with pytest.raises(ValueError, match="objective is 'btmlm', expected one of mmlm, placeholders, tlm, camlm"):
        objectives.Collator("btmlm")
    with pytest.raises(ValueError, match=r"draws \[1, 2\], expected one"):
        objectives.Collator("mmlm", options=SMALL)([{"text": [10], "draw": 1}, {"text": [11], "draw": 2}])
