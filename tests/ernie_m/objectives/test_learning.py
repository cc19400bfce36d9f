"""CAMLM learns from the other side: with true translations the loss falls, with shuffled ones it cannot."""

from __future__ import annotations

import numpy as np
import torch

import ernie_m
from ernie_m import objectives

WORDS, MASK, VOCABULARY = 20, 44, 45
#: An invented pair of languages: word i of the first, 4 to 23, is word 43 - i + 4 of the second.
RANDOM = np.random.default_rng(6)


def make_pairs(count: int, shuffled: bool) -> list[tuple[list[int], list[int]]]:
    """Sentences of different words, translated word by word in the reverse order."""
    first = [RANDOM.choice(np.arange(4, 4 + WORDS), 4, replace=False) for _ in range(count)]
    second = [(47 - sentence)[::-1] for sentence in first]
    order = RANDOM.permutation(count) if shuffled else np.arange(count)
    return [(sentence.tolist(), second[place].tolist()) for sentence, place in zip(first, order)]


def held_out_loss(shuffled: bool) -> float:
    """After 250 steps, on pairs of the same kind that were not trained."""
    torch.manual_seed(0)
    config = ernie_m.ErnieMConfig(
        vocab_size=VOCABULARY, hidden_size=32, num_attention_heads=4, num_hidden_layers=2, max_position_embeddings=20,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, initializer_range=0.1,
    )  # fmt: skip
    model = ernie_m.ErnieMForMaskedLM(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    options = {"mask_token_id": MASK, "vocab_size": VOCABULARY}
    for step in range(250):
        inputs = objectives.camlm(make_pairs(32, shuffled), seed=step, ratio=0.25, **options)
        model(**objectives.to_tensors(inputs)).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    inputs = objectives.camlm(make_pairs(200, shuffled), ratio=0.25, **options)
    with torch.no_grad():
        return float(model.eval()(**objectives.to_tensors(inputs)).loss)


def test_the_loss_falls_with_true_translations_and_not_with_shuffled_ones() -> None:
    # What is known without the other side is which language a position has: one word of twenty.
    unigram = float(np.log(WORDS))
    assert held_out_loss(shuffled=True) > 0.95 * unigram
    assert held_out_loss(shuffled=False) < 0.5 * unigram
