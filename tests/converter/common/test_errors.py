"""Names of files in messages: folded exactly, and never longer than a line or two."""

from __future__ import annotations

import pytest

from converter.common.errors import fold_names


@pytest.mark.parametrize(
    ("names", "folded"),
    [
        (["a"], "a"),
        (["a.layers.3.w"], "a.layers.3.w"),
        ([f"a.layers.{n}.w" for n in (0, 1, 2, 5, 7, 8)], "a.layers.{0-2,5,7-8}.w (6 tensors)"),
        (["a.layers.03.w", "a.layers.x.w"], "a.layers.03.w, a.layers.x.w (2 tensors)"),
    ],
)
def test_layer_numbers_are_folded_into_ranges(names: list[str], folded: str) -> None:
    assert fold_names(names) == folded


@pytest.mark.parametrize("number", ["9" * 5000, "٣", "9" * 7])
def test_a_number_that_no_model_has_is_a_name_like_others(number: str) -> None:
    """Python refuses to make a number of 5000 digits."""
    assert fold_names([f"a.layers.{number}.w"]).startswith(f"a.layers.{number[:100]}")


def test_a_name_of_any_length_is_cut() -> None:
    assert fold_names(["x" * 90_000, "y"]) == "x" * 197 + "..., y (2 tensors)"
