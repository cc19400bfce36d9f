"""Which GPU each process takes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from evaluation.options import Options
from evaluation.product.model import OutputModel
from mappings.registry import load_family


@pytest.mark.parametrize(("device", "expected"), [("cuda", ["cuda:0", "cuda:1", "cuda:0"]), ("cpu", ["cpu"] * 3)])
def test_gpus_are_counted_round(device: str, expected: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    moved: list[str] = []
    loaded = SimpleNamespace(model=SimpleNamespace(to=moved.append))
    monkeypatch.setattr("evaluation.product.model.load_model", lambda *given: loaded)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    options, family = Options("classification", device=device), load_family("ernie_m")
    models = [OutputModel.load(Path("out"), family, options, number) for number in range(3)]
    assert moved == [model.device for model in models] == expected
