"""Gradients: what is kept of them, how they are named, and the coverage that follows from them."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mappings.registry import load_family
from verify.numbers.coverage import CoverageMask
from verify.numbers.gradients import _choose_rows, _lay_out, align_rows, largest, sparse_tables
from verify.protocol.gradient_functional import halves, is_table, keep_gradient
from verify.protocol.projections import project, seeded
from verify.recorder.model.activations import sum_rows

torch = pytest.importorskip("torch")


FIRST = ["0x1.4cf5eb24336a6p+0", "-0x1.17b379719a47dp+0"]


def test_coefficients_are_away_from_0_of_both_signs_and_the_same_everywhere() -> None:
    drawn = seeded("left.4", 1000, "float64")
    assert np.abs(drawn).min() >= 0.5 and np.abs(drawn).max() <= 1.5
    assert (drawn < 0).any() and (drawn > 0).any()
    assert [float(number).hex() for number in drawn[:2]] == FIRST
    assert not np.array_equal(drawn, seeded("right.4", 1000, "float64"))


@pytest.mark.parametrize("place", [(0, 0), (1, 2), (2, 3)])
def test_one_element_changes_its_row_its_column_and_its_products(place: tuple[int, int]) -> None:
    matrix = np.arange(12.0).reshape(3, 4)
    changed = matrix.copy()
    changed[place] += 1e-9
    before, after = halves(matrix), halves(changed)
    assert np.flatnonzero(before["right"] != after["right"]).tolist() == [place[0]]
    assert np.flatnonzero(before["left"] != after["left"]).tolist() == [place[1]]
    assert (project(matrix) != project(changed)).any(axis=1).tolist() == [row == place[0] for row in range(3)]


def test_of_a_table_the_rows_in_use_are_kept() -> None:
    table = np.zeros((6, 2))
    table[1], table[4] = (3, 4), (0, -5)
    kept = keep_gradient(
        "embeddings.word_embeddings.weight", [(np.arange(3), table[:3]), (np.arange(3, 6), table[3:])], True
    )
    assert kept["rows"].tolist() == [1, 4]
    assert kept["whole"].tolist() == [[3, 4], [0, -5]]


def test_a_row_that_only_one_side_has_stands_against_0() -> None:
    recorded = {"rows": np.array([1, 4]), "right": np.array([5.0, 7.0]), "left": np.array([9.0])}
    found = {"rows": np.array([2, 4]), "right": np.array([6.0, 7.0]), "left": np.array([8.0])}
    pairs = align_rows(recorded, found)
    assert {part: [side.tolist() for side in pair] for part, pair in pairs.items()} == {"right": [[5, 0, 7], [0, 6, 7]]}
    assert set(align_rows(recorded, recorded)) == {"right", "left"}


def test_the_rows_in_use_are_those_of_the_whole_gradient() -> None:
    """Rows that come twice are summed, the padding's has none, and the table is as it was afterwards."""
    table = torch.nn.Embedding(7, 2, padding_idx=1, dtype=torch.float64)
    ids = torch.tensor([[5, 1, 5, 2]])
    kept = []
    for sparse in (False, True):
        table.zero_grad()
        if sparse:
            with sparse_tables(table):
                looked_up = table(ids)
        else:
            looked_up = table(ids)
        (looked_up * torch.arange(8.0, dtype=torch.float64).reshape(1, 4, 2)).sum().backward()
        gradient = table.weight.grad.coalesce() if sparse else table.weight.grad
        assert gradient.is_sparse is sparse
        name = "embeddings.word_embeddings.weight"
        found = keep_gradient(name, _lay_out(name, gradient), whole=True)
        chosen = _choose_rows(gradient, torch.from_numpy(found["rows"]))
        kept.append((found["rows"].tolist(), found["whole"].tolist(), chosen.tolist()))
    # Row 5 twice: (0, 1) + (4, 5); row 2 once: (6, 7).
    assert kept[0] == kept[1] == ([2, 5], [[6, 7], [4, 6]], [[6, 7], [4, 6]])
    assert table.sparse is False


def test_paddles_rows_are_summed_without_the_paddings() -> None:
    class Rows:
        """What Paddle's `get_selected_rows` gives."""

        def get_selected_rows(self) -> Rows:
            return self

        def rows(self) -> list[int]:
            return [5, 1, 5, 2]

        def get_tensor(self) -> Any:
            return np.arange(8.0).reshape(4, 2)

    rows, summed = sum_rows(Rows(), 1)
    assert rows.tolist() == [2, 5] and summed.tolist() == [[6, 7], [4, 6]]
    assert sum_rows(Rows(), None)[0].tolist() == sum_rows(Rows(), -1)[0].tolist() == [1, 2, 5]


def test_the_largest_value_is_nan_where_there_is_one() -> None:
    assert largest(torch.tensor([3.0, -4.0])) == 4 and largest(torch.empty(0, 3)) == 0
    assert np.isnan(largest(torch.tensor([3.0, float("nan")])))


def test_the_mask_keeps_what_any_gradient_showed() -> None:
    mask = CoverageMask()
    mask.add("matrix", torch.tensor([[3.0, 0.5], [-2.0, 0.0]]), 1.0)
    assert mask.masks["matrix"].tolist() == [[True, False], [True, False]] and mask.shown("matrix", 4) == 2
    mask.add("matrix", torch.tensor([[0.0, -3.0], [0.0, 3.0]]), 1.0)
    assert not mask.masks and mask.whole == {"matrix"} and mask.shown("matrix", 4) == 4
    mask.add("table", torch.tensor([[3.0], [0.0]]), 1.0, np.array([1, 3]))
    assert mask.tables["table"].rows.tolist() == [1, 3] and mask.shown("table", 4) == 1


def test_masks_of_two_processes_are_one_mask() -> None:
    one, other = CoverageMask(whole={"bias"}), CoverageMask()
    one.add("bias", torch.tensor([0.0, 0.0]), 1.0)
    one.add("matrix", torch.tensor([[3.0, 0.0, 3.0], [0.0, 0.0, 0.0]]), 1.0)
    one.add("table", torch.tensor([[0.0, 3.0], [3.0, 0.0]]), 1.0, np.array([1, 3]))
    other.add("matrix", torch.tensor([[0.0, 0.0, 0.0], [0.0, -3.0, 0.0]]), 1.0)
    other.add("vector", torch.tensor([5.0, 5.0]), 1.0)
    other.add("table", torch.tensor([[3.0, 0.0], [0.0, 3.0]]), 1.0, np.array([0, 3]))
    for mask in (other, other):  # A second time changes nothing.
        one.merge(pickle.loads(pickle.dumps(mask)))
    assert one.masks["matrix"].tolist() == [[True, False, True], [False, True, False]]
    assert one.tables["table"].rows.tolist() == [0, 1, 3]
    assert one.tables["table"].shown.tolist() == [[True, False], [False, True], [True, True]]
    assert one.whole == {"bias", "vector"}
    shown = [one.shown(*of) for of in (("bias", 2), ("matrix", 6), ("vector", 2), ("table", 10), ("new", 4))]
    assert shown == [2, 3, 2, 4, 0]


def test_a_norm_in_the_embeddings_is_no_table() -> None:
    assert is_table("ernie_m.embeddings.position_embeddings.weight")
    assert not is_table("ernie_m.embeddings.layer_norm.weight")


@pytest.mark.parametrize(
    ("target", "source"),
    [
        ("encoder.layers.2.self_attn.self_attn.q_proj.weight", "encoder.layers.2.self_attn.q_proj.weight"),
        ("ernie_m.encoder.layers.0.self_attn.out_proj.bias", "ernie_m.encoder.layers.0.self_attn.out_proj.bias"),
        ("qa_outputs.weight", "classifier.weight"),
        ("linear_end.bias", "linear_end.bias"),
    ],
)
def test_paddle_names(target: str, source: str) -> None:
    assert load_family("ernie_m").paddle_name(target) == source


@pytest.mark.parametrize("name", ["ErnieMModel", "ErnieMForQuestionAnswering", "UIEM"])
def test_every_parameter_has_a_gradient_eager_and_sdpa(verified: Callable[[str], Any], name: str) -> None:
    report = verified(name).report
    tensors = {row.tensor for row in report.coverage}
    for case in ("sentence.inside", "ids.all (sdpa)"):
        found = {result.tensor for result in report.gradients if result.case == case}
        # UIEM's pooler has no part in its outputs, but is an output of its encoder.
        assert found == tensors


def test_the_loss_has_gradients_of_its_own(verified: Callable[[str], Any]) -> None:
    cases = {result.case for result in verified("ErnieMForSequenceClassification").report.gradients}
    assert {"loss", "loss.multi", "loss (sdpa)"} <= cases


def test_the_network_shows_every_element_but_the_keys_bias_which_its_layer_alone_shows(
    verified: Callable[[str], Any],
) -> None:
    for name in ("ErnieMModel", "ErnieMForMultipleChoice", "ErnieMForQuestionAnswering", "UIEM"):
        rows = verified(name).report.coverage
        assert all(row.share == 1 for row in rows)
        unseen = {row.tensor: row.rest for row in rows if row.network < row.elements}
        assert all(tensor.endswith("k_proj.bias") for tensor in unseen) and len(unseen) == 3
        assert set(unseen.values()) == {"every linear layer alone"}
