"""Checkpoints of transformers 4.57's port: they load as they are, and two fields give the port's own numbers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open

import ernie_m

CLASSES = [
    "ErnieMModel",
    "ErnieMForSequenceClassification",
    "ErnieMForMultipleChoice",
    "ErnieMForTokenClassification",
    "ErnieMForQuestionAnswering",
    "ErnieMForInformationExtraction",
]
AS_THE_PORT: dict[str, Any] = {"implicit_mask_token_ids": [1], "attention_mask_value": None}
NOISE = 2e-6  # of float32, relative to the largest value; 1e-6 is seen
CASES = ["no mask", "mask", "a row of zeros", "positions"]


@pytest.fixture(scope="module")
def port(port_numbers: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(port_numbers, tmp_path_factory.mktemp("port"), dirs_exist_ok=True))


def case_of(folder: Path, case: str) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    with np.load(folder / "numbers.npz") as file:
        inputs = {key.split("/")[-1]: torch.tensor(file[key]) for key in file.files if key.startswith(f"in/{case}/")}
        return inputs, {
            key.split("/")[-1]: torch.tensor(file[key]) for key in file.files if key.startswith(f"out/{case}/")
        }


@pytest.mark.parametrize("name", CLASSES)
def test_tensors_have_the_ports_names_and_shapes(port: Path, name: str) -> None:
    """No buffer more, none less: one file loads on both sides."""
    with safe_open(port / name / "model.safetensors", "pt") as file:
        theirs = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118
    config = ernie_m.ErnieMConfig.from_pretrained(port / name)
    ours = {key: tuple(value.shape) for key, value in getattr(ernie_m, name)(config).state_dict().items()}
    assert ours == theirs


@pytest.mark.parametrize("attn", ["eager", "sdpa"])
@pytest.mark.parametrize("name", CLASSES)
def test_two_fields_give_the_ports_numbers(port: Path, name: str, attn: str, difference: Any) -> None:
    written = json.loads((port / name / "config.json").read_text())
    assert not set(AS_THE_PORT) & set(written) and written["layer_norm_eps"] == 1e-05
    model, report = getattr(ernie_m, name).from_pretrained(
        port / name, attn_implementation=attn, output_loading_info=True, **AS_THE_PORT
    )
    assert not any(report.values()), report
    for case in CASES:
        inputs, outputs = case_of(port / name, case)
        with torch.no_grad():
            ours = model.eval()(**inputs)
        assert outputs.keys() == ours.keys()
        for site, value in outputs.items():
            assert difference(ours[site], value) < NOISE, (case, site)


def test_without_them_the_numbers_are_paddles(port: Path, difference: Any) -> None:
    model = ernie_m.ErnieMModel.from_pretrained(port / "ErnieMModel").eval()
    for case in ("no mask", "a row of zeros"):
        inputs, outputs = case_of(port / "ErnieMModel", case)
        with torch.no_grad():
            ours = model(**inputs).last_hidden_state
        assert difference(ours, outputs["last_hidden_state"]) > 0.05, case


def test_act_dropout_is_the_ports_dropout_in_the_feed_forward(tiny: Any) -> None:
    """Quirk 11: Paddle has none there; None meant hidden_dropout_prob."""
    assert tiny().encoder.layers[0].dropout.p == 0.0
    assert tiny(act_dropout=0.3).encoder.layers[0].dropout.p == 0.3
    assert tiny(act_dropout=None, hidden_dropout_prob=0.2).encoder.layers[0].dropout.p == 0.2
