"""A folder without the two layers of UIE is refused: PyTorch would fill them with random numbers, and answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from converter import convert
from tests.support.checkpoints import write_folder

torch = pytest.importorskip("torch")


def test_a_model_without_the_layers_of_uie_m_is_refused(tmp_path: Path) -> None:
    from ernie_m.extraction import InformationExtractor

    convert(write_folder(tmp_path / "in"), tmp_path / "out")
    with pytest.raises(ValueError, match=r"is no ErnieMForInformationExtraction: it lacks linear_end.bias, linear_"):
        InformationExtractor.from_pretrained(tmp_path / "out", schema="x")
