"""Auto-generated names: a weight is identified by its rank among its kind, or the file is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converter.common.errors import FileError
from converter.open.dispatch import open_weights
from mappings import load_family
from tests.support.pickles import numbered, same
from tests.support.streams import automatic, write_combined, write_variables

ERNIE_M = load_family("ernie_m")
CASES: dict[str, dict[str, Any]] = {
    "a base model": {"head": ""},
    "a base model without its pooler": {"head": "", "pooler": False},
    "a classifier": {"head": "classifier"},
    "a classifier whose pooler was pruned": {"head": "classifier", "pooler": False},
    "UIEM": {"head": "uiem"},
    "UIEM whose pooler was pruned": {"head": "uiem", "pooler": False},
    "counters that go on from another model": {"starts": (2, 7, 95)},
    "counters that pass a power of ten": {"starts": (9, 8, 6), "layers": 4},
    "a copied model": {"suffix": "_deepcopy_57"},
    "twelve layers": {"layers": 12},
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("form", ["combined", "variables"])
def test_ranks_tell_the_weights(case: str, form: str, tmp_path: Path) -> None:
    state, expected = automatic(**CASES[case])
    path = write_combined(tmp_path, state) if form == "combined" else write_variables(tmp_path, state)
    opened = open_weights(path)
    assert same(opened, expected) and opened.naming == "automatic"
    head = CASES[case].get("head", "classifier")
    assert opened.inferred_class == {"": "ErnieMModel", "uiem": "UIEM", "classifier": ""}[head]
    assert {tensor.stored_as for tensor in opened.tensors.values()} == set(state)


def test_as_many_labels_as_hidden_units_are_told_by_the_skipped_number(tmp_path: Path) -> None:
    """A pruned pooler leaves its number unused, so the square linear after it is the head."""
    state, _ = automatic(layers=1, pooler=False)
    state["linear_7.w_0"], state["linear_7.b_0"] = numbered(4, 4), numbered(4)
    opened = open_weights(write_variables(tmp_path / "a", state))
    assert opened.tensors["classifier.weight"].stored_as == "linear_7.w_0"
    state["linear_6.w_0"], state["linear_6.b_0"] = state.pop("linear_7.w_0"), state.pop("linear_7.b_0")
    opened = open_weights(write_variables(tmp_path / "b", state))
    assert opened.tensors["pooler.dense.weight"].stored_as == "linear_6.w_0"


def without(name: str) -> Any:
    return lambda state: {key: array for key, array in state.items() if key != name}


def renamed(before: str, after: str) -> Any:
    return lambda state: {key.replace(before, after): array for key, array in state.items()}


def with_more(**more: np.ndarray) -> Any:
    return lambda state: {**state, **{name.replace("__", "."): array for name, array in more.items()}}


UNCLEAR = {
    "a third embedding": (with_more(embedding_2__w_0=numbered(4, 4)), "3 of embedding_N, where ERNIE-M has 2"),
    "one embedding": (without("embedding_1.w_0"), "1 of embedding_N, where ERNIE-M has 2"),
    "a norm too many": (
        with_more(layer_norm_5__w_0=numbered(4), layer_norm_5__b_0=numbered(4)),
        "6 of layer_norm_N, where ERNIE-M has 1 and 2 per layer",
    ),
    "a weight without its bias": (without("linear_3.b_0"), "not both a weight and a bias: linear_3"),
    "a bias without its weight": (without("linear_3.w_0"), "not both a weight and a bias: linear_3"),
    "a number that is missing": (renamed("linear_3.", "linear_33."), "a number is missing between"),
    "two variables of one number": (
        with_more(linear_3__w_0_deepcopy_4=numbered(4, 4)),
        "'linear_3.w_0' and 'linear_3.w_0_deepcopy_4' have one number",
    ),
    "a linear too many behind the head": (
        with_more(linear_14__w_0=numbered(4, 5), linear_14__b_0=numbered(5)),
        r"after the layers come 2 of linear_N \(\[4, 3\], \[4, 5\]\)",
    ),
    "a head of another width": (with_more(linear_13__w_0=numbered(9, 3)), r"come 1 of linear_N \(\[9, 3\]\)"),
}


@pytest.mark.parametrize("idea", UNCLEAR)
def test_what_the_numbers_do_not_tell_is_refused(idea: str, tmp_path: Path) -> None:
    change, said = UNCLEAR[idea]
    state = change(automatic()[0])
    for path in (write_combined(tmp_path / "c", state), write_variables(tmp_path / "v", state)):
        with pytest.raises(FileError, match=f"E323.*the numbered names do not identify the weights: .*{said}"):
            # Three tables are those of an ERNIE, which is read as such where nothing says that it is none.
            open_weights(path, (ERNIE_M,) if idea == "a third embedding" else ())


def test_fewer_linears_than_the_layers_have(tmp_path: Path) -> None:
    state = {
        name: array for name, array in automatic()[0].items() if name[:9] not in ("linear_12", "linear_13", "linear_11")
    }
    with pytest.raises(FileError, match="E323.*11 of linear_N, where 2 layers have 12"):
        open_weights(write_variables(tmp_path, state))


def test_every_reason_is_given_at_once(tmp_path: Path) -> None:
    state = without("embedding_1.w_0")(without("linear_3.b_0")(automatic()[0]))
    with pytest.raises(FileError) as refused:
        open_weights(write_variables(tmp_path, state))
    assert len(refused.value.problems) == 2


def test_a_number_with_a_leading_zero_is_no_number_of_paddles(tmp_path: Path) -> None:
    state = renamed("linear_3.", "linear_03.")(automatic()[0])
    with pytest.raises(FileError, match="E323"):
        open_weights(write_variables(tmp_path, state))
