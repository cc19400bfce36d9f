"""The lengths that are cases: every one of a small model with few positions, else a spread up to the longest."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from verify.recorder.cases.case_builder import CaseBuilder

HIDDEN, LAYERS, WORDS = 8, 1, 50


def lengths_of(positions: int, words: int) -> list[int]:
    config = Mock(vocab_size=words, hidden_size=HIDDEN, max_position_embeddings=positions, num_hidden_layers=LAYERS)
    builder = CaseBuilder(
        Mock(classes={"Mock": Mock()}, inputs=Mock(of_backbone=())), Mock(config=config), [], "float64", 1, 0
    )
    builder.lengths()
    return [case["inputs"]["input_ids"].shape[1] for case in builder.cases if case["name"].startswith("length.")]


@pytest.mark.parametrize("positions", [2, 60, 513])
def test_a_small_model_has_every_length(positions: int) -> None:
    assert lengths_of(positions, WORDS) == list(range(1, positions))


def test_beyond_512_positions_lengths_are_spread() -> None:
    assert lengths_of(2048, WORDS) == [*range(1, 513), 513, 1025]


@pytest.mark.parametrize(("positions", "last"), [(514, 513), (512, 257), (2048, 1025)])
def test_a_large_model_has_lengths_around_powers_of_two(positions: int, last: int) -> None:
    found = lengths_of(positions, 300_000)
    assert found[:6] == [1, 2, 3, 5, 9, 17] and found[-1] == last and len(found) < 15
