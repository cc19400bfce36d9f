"""sentence-transformers on a converted base model: a text has one embedding, alone or in a padded batch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer

import ernie_m
from tests.ecosystem.conftest import TEXTS, Make

# ernie_m's tokenizer gives no attention_mask by itself, as Paddle's does not; pooling over tokens needs one.
WITH_MASK = {"processor_kwargs": {"model_input_names": ["input_ids", "attention_mask"]}}
HIDE_PADDING = {"config_kwargs": {"implicit_mask_token_ids": [0, 1]}}


def embedder(need: Callable[[str], Any], folder: Path, pooling: str, **options: Any) -> Any:
    library = need("sentence_transformers")
    models = need("sentence_transformers.models")
    words = models.Transformer(str(folder), **options)
    return library.SentenceTransformer(modules=[words, models.Pooling(16, pooling_mode=pooling)], device="cpu")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("pooling, options", [("mean", WITH_MASK), ("cls", WITH_MASK), ("cls", HIDE_PADDING)])
def test_single_and_batched_embeddings_are_equal(
    converted: Make, need: Callable[[str], Any], tmp_path: Path, pooling: str, options: dict[str, Any]
) -> None:
    model = embedder(need, converted(), pooling, **options)
    batched = model.encode(TEXTS, convert_to_tensor=True)
    alone = torch.stack([model.encode(text, convert_to_tensor=True) for text in TEXTS])
    assert torch.allclose(batched, alone, atol=1e-5)
    model.save(str(tmp_path))
    again = need("sentence_transformers").SentenceTransformer(str(tmp_path), device="cpu")
    assert torch.allclose(again.encode(TEXTS, convert_to_tensor=True), batched, atol=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_what_is_pooled_is_what_the_model_gives(converted: Make, need: Callable[[str], Any]) -> None:
    folder = converted()
    model, tokenizer = ernie_m.ErnieMModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    mean, first = embedder(need, folder, "mean", **WITH_MASK), embedder(need, folder, "cls", **HIDE_PADDING)
    means, firsts = mean.encode(TEXTS, convert_to_tensor=True), first.encode(TEXTS, convert_to_tensor=True)
    for place, text in enumerate(TEXTS):
        ids = tokenizer(text, return_tensors="pt")["input_ids"]
        with torch.no_grad():
            shown = model(ids, attention_mask=torch.ones_like(ids)).last_hidden_state[0].mean(0)
            as_paddle = model(ids).last_hidden_state[0, 0]
        assert torch.allclose(means[place], shown, atol=1e-5)
        assert torch.allclose(firsts[place], as_paddle, atol=1e-5)


@pytest.mark.filterwarnings("ignore")
def test_without_a_mask_embeddings_would_depend_on_the_batch(converted: Make, need: Callable[[str], Any]) -> None:
    """Why the recipe has processor_kwargs."""
    model = embedder(need, converted(), "mean")
    batched = model.encode(TEXTS, convert_to_tensor=True)
    alone = torch.stack([model.encode(text, convert_to_tensor=True) for text in TEXTS])
    assert (batched - alone).abs().max() > 1e-3
