"""Paddle's numbers, recorded once in a session, and our models with the same weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import ernie_m
from tests.ernie_m.recorded_numbers import Reference, relative_difference
from tests.support.cached import cached_script

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def reference(run_paddle: Any) -> Reference:
    return Reference(cached_script(run_paddle, "model_numbers.py", name="model_numbers.npz"))


@pytest.fixture
def difference() -> Any:
    """The largest difference, relative to the largest value that Paddle has at that site."""
    return relative_difference


@pytest.fixture
def tiny() -> Any:
    """A configuration of a very small model; its weights are random and large enough to be sensitive."""

    def make(class_name: str = "ErnieMModel", seed: int = 0, **fields: Any) -> Any:
        defaults: dict[str, Any] = dict(
            vocab_size=60,
            hidden_size=16,
            num_attention_heads=4,
            num_hidden_layers=2,
            max_position_embeddings=20,
            initializer_range=0.5,
        )
        torch.manual_seed(seed)
        return getattr(ernie_m, class_name)(ernie_m.ErnieMConfig(**{**defaults, **fields})).eval()

    return make
