"""Linear layers alone show what no input of the network can: a weight behind a GELU that is closed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from verify import verify
from verify.numbers.pytorch_process import Start

BIAS, WEIGHT = "encoder.layers.1.linear1.bias", "encoder.layers.1.linear2.weight"


@pytest.fixture(scope="module")
def closed(
    make_checkpoint: Callable[..., None], verify_live: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Any:
    """Unit 5 of a feed-forward layer is far below 0 whatever comes in: its GELU gives 0 to the last bit."""
    source = tmp_path_factory.mktemp("closed") / "source"
    make_checkpoint(source, "--format", "safetensors")
    file = source / "model.safetensors"
    tensors = load_file(file)
    tensors[BIAS][5] = -200.0
    save_file(tensors, file, metadata={"format": "pd"})
    return verify_live(source)


def test_a_weight_behind_a_closed_activation(closed: Any, copy_output: Callable[[Any], Path], ready: Start) -> None:
    assert closed.report.passed, closed.report.problems
    output = copy_output(closed)
    tensors = load_file(output / "model.safetensors")
    tensors[WEIGHT][3, 5] = np.nextafter(tensors[WEIGHT][3, 5], np.float32(np.inf))
    save_file(tensors, output / "model.safetensors", metadata={"format": "pt"})
    report = verify(closed.source, output, trace=closed.trace, start=ready, static=False)
    assert {site.site for site in report.sites if not site.passed} == {"linear:encoder.layers.1.linear2"}
    assert report.first_difference is not None
    assert report.first_difference.look_at.startswith("encoder.layers.1.linear2.weight and .bias")


def test_coverage_says_that_the_network_does_not_show_it(closed: Any) -> None:
    row = next(row for row in closed.report.coverage if row.tensor == WEIGHT)
    assert row.network == row.elements - 32 and row.share == 1
    assert row.rest == "every linear layer alone"


def test_the_margin_is_that_of_the_layers_alone(closed: Any) -> None:
    smallest = closed.report.smallest_fault
    assert smallest.ratio > 1000 and smallest.case in ("linears", "small_norms", "rows.word_embeddings"), smallest
