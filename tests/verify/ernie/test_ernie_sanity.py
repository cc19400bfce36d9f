"""The models of known numbers of ERNIE and of the families with its layers: they are right, by plain numpy and by
transformers' own class."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support.plain_ernie import MODELS, compute_sanity, sanity_shapes
from verify.recorder.families.ernie.adapter import SANITY
from verify.recorder.families.ernie.port import name_in_port
from verify.recorder.families.ernie_gram import ERNIE_GRAM
from verify.recorder.families.ernie_health import ERNIE_HEALTH
from verify.recorder.families.skep import SKEP
from verify.recorder.sanity import sanity_values


@pytest.mark.parametrize("file", MODELS)
def test_the_shipped_numbers_are_those_of_plain_numpy(file: str) -> None:
    sanity, epsilon = MODELS[file]
    computed, expected = compute_sanity(sanity, epsilon), sanity.expected()
    assert list(computed) == list(expected)
    for site, values in computed.items():
        assert np.abs(values.reshape(-1) - np.array(expected[site])).max() < 1e-13
        assert np.abs(values).max() < 4, "what the limits in sanity.py are argued from"


def test_families_with_the_same_layers_have_the_same_numbers() -> None:
    expected = SKEP.sanity.expected()
    assert ERNIE_GRAM.sanity.expected() == expected
    without_pooler = {site: values for site, values in expected.items() if site != "pooler_output"}
    assert ERNIE_HEALTH.sanity.expected() == without_pooler != expected


@pytest.mark.parametrize("file", MODELS)
def test_the_shipped_numbers_are_those_of_torch(file: str) -> None:
    torch: Any = pytest.importorskip("torch")
    from transformers import ErnieConfig, ErnieModel

    sanity, epsilon = MODELS[file]
    expected = sanity.expected()
    model = ErnieModel(ErnieConfig(**sanity.fields, layer_norm_eps=epsilon)).double().eval()
    state = {}
    for name, shape in sanity_shapes(sanity.fields).items():
        values = sanity_values(name, shape)
        linear = values.ndim == 2 and "embeddings" not in name
        state[name_in_port(name, "ErnieModel")] = torch.tensor(values.T.copy() if linear else values)
    model.load_state_dict(state)
    types = {name: torch.tensor(rows) for name, rows in sanity.types.items()}
    with torch.no_grad():
        output = model(torch.tensor(sanity.ids), attention_mask=torch.tensor(sanity.mask), **types)
    words = np.array(sanity.ids) != 0
    last = np.array(expected["last_hidden_state"]).reshape(2, 5, -1)
    assert np.abs(output.last_hidden_state.numpy() - last)[words].max() < 1e-13
    # Of [PAD] Paddle's lookup gives zeros, torch's the row.
    assert words.all() == (sanity is not SANITY)
    assert words.all() or np.abs(output.last_hidden_state.numpy() - last)[~words].max() > 1e-3
    assert np.abs(output.pooler_output.numpy().reshape(-1) - np.array(expected["pooler_output"])).max() < 1e-13
