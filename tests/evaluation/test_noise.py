"""How near a tie must be: the bound of verify's limits, more for a cosine, more on a GPU."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from converter.common.errors import Paddle2TorchError
from evaluation.answered import Answered
from evaluation.compare import compare_answers
from evaluation.noise import largest_tie
from evaluation.options import Options
from evaluation.product.model import OutputModel
from mappings.registry import load_family
from verify.protocol.evaluation_job import LAYERS, LOGITS, Job

CONFIG = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}
HEAD: dict[str, Any] = {
    "architecture": "ErnieMForSequenceClassification",
    "config": {**CONFIG, "max_position_embeddings": 514, "vocab_size": 250002, "hidden_act": "gelu"},
}


def bound(kind: str = LOGITS, layers: tuple[int, ...] = (), **options: Any) -> float:
    job = Job(kind, np.zeros(2, np.int32), np.array([0, 2]), layers=layers)
    return largest_tie(HEAD, job, Options("xnli", **options))


def test_a_gpu_has_eight_times_the_tolerance() -> None:
    for precision in ("float32", "float64"):
        assert bound(device="cuda", precision=precision) == 8 * bound(precision=precision)


def test_the_tolerance_is_that_of_roundings() -> None:
    """More than one rounding, and on a GPU still less than a third of a percent of the largest value."""
    assert 2**-24 < bound() < 5e-4 < bound(device="cuda") < 1 / 300
    assert bound(precision="float64") == pytest.approx(bound() * 2.0 ** (24 - 53), rel=1e-6)


@pytest.mark.parametrize(("device", "ties"), [("cpu", 0), ("cuda", 1)])
def test_what_is_a_tie_on_a_gpu_is_none_on_a_cpu(device: str, ties: int) -> None:
    """Two choices that are apart by four times the tolerance of a CPU."""
    place, scale = np.array([0]), 5.0
    margin = np.array([4 * bound() * scale])
    sides = [
        Answered("de", "", place, np.array([choice]), margin, {"accuracy": 0.0}, scale, ("logits",), place)
        for choice in (0, 1)
    ]
    found = compare_answers(*sides, bound(device=device), 0.0, ["x:1"], lambda row, choice: "ab"[choice])
    assert (found.ties, found.passed) == (ties, ties == 1)


def test_deeper_layers_have_more_roundings_and_cosines_twice_the_noise() -> None:
    bounds = [bound(LAYERS, (layer,)) for layer in (0, 4, 8, 12)]
    assert bounds == sorted(bounds) and len(set(bounds)) == 4
    assert bound(LAYERS, (8, 0, 4)) == bounds[2]  # The deepest that is judged.


def test_without_a_gpu_cuda_is_refused() -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(Paddle2TorchError, match="E607]: --device cuda: this torch finds no GPU"):
        OutputModel.load(__file__, load_family("ernie_m"), Options("xnli", device="cuda"), 0)  # type: ignore[arg-type]
