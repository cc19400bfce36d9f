"""ErnieForInformationExtraction gives the numbers of PaddleNLP's UIE in float64: outputs, states, loss, gradients."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.support.cached import cached_script
from tests.support.plain_uie import torch_name, torch_state

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

MODELS = ("tasks", "relu")
CASES = (
    "nothing but ids",
    "as Taskflow",
    "padding without a mask",
    "a mask that shows a padding",
    "a mask with holes",
    "other positions",
    "embeddings",
    "the longest",
)
#: transformers 4's ERNIE has no other.
ATTENTIONS = ("eager",) if transformers.__version__.startswith("4.") else ("eager", "sdpa")
TOLERANCE = 1e-14


@pytest.fixture(scope="module")
def recorded(run_paddle: Callable[..., None]) -> dict[str, Any]:
    with np.load(cached_script(run_paddle, "uie_numbers.py", name="uie_numbers.npz")) as file:
        return {key: file[key] for key in file.files}


def part(recorded: dict[str, Any], place: str) -> dict[str, Any]:
    return {key.removeprefix(place): value for key, value in recorded.items() if key.startswith(place)}


def make_model(recorded: dict[str, Any], name: str, attention: str) -> Any:
    from ernie import ErnieForInformationExtraction

    config = transformers.ErnieConfig(**json.loads(str(recorded[f"{name}/config"])), attn_implementation=attention)
    model = ErnieForInformationExtraction(config).double().eval()
    model.load_state_dict(torch_state(part(recorded, f"{name}/weight/")), strict=False)
    missing = set(model.state_dict()) - {torch_name(key) for key in part(recorded, f"{name}/weight/")}
    assert all("embeddings" in key and key.endswith("_ids") for key in missing), missing
    return model


def test_the_cases_are_those_that_were_recorded(recorded: dict[str, Any]) -> None:
    assert {tuple(key.split("/")[:2]) for key in recorded if "/input/" in key} == {
        (m, c) for m in MODELS for c in CASES
    }


@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", MODELS)
def test_numbers_and_gradients_are_paddles(recorded: dict[str, Any], name: str, case: str, attention: str) -> None:
    model = make_model(recorded, name, attention)
    place = f"{name}/{case}"
    inputs = {key: torch.tensor(value) for key, value in part(recorded, f"{place}/input/").items()}
    output = model(**inputs, output_hidden_states=True)
    output.loss.backward()
    ours = {
        "start_prob": output.start_logits.sigmoid(),
        "end_prob": output.end_logits.sigmoid(),
        "loss": output.loss,
        **{f"hidden_states.{number}": state for number, state in enumerate(output.hidden_states)},
    }
    paddle = part(recorded, f"{place}/output/")
    assert set(ours) == set(paddle)
    for site, value in paddle.items():
        found = ours[site].detach().numpy()
        assert found.shape == value.shape
        assert np.abs(found - value).max() <= TOLERANCE, site
    gradients = part(recorded, f"{place}/gradient/")
    parameters = dict(model.named_parameters())
    given = {key for key, parameter in parameters.items() if parameter.grad is not None}
    expected = torch_state(gradients)
    assert given == set(expected) and any("embeddings" in key for key in given)
    for key, value in expected.items():
        assert np.abs(parameters[key].grad.numpy() - value.numpy()).max() <= TOLERANCE, key
