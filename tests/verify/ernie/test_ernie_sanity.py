"""ERNIE's model of known numbers: its numbers are right, by plain numpy and by transformers' own class."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.plain_ernie import EPSILON, compute_sanity, sanity_shapes
from verify.recorder.families.ernie.adapter import SANITY
from verify.recorder.families.ernie.port import name_in_port
from verify.recorder.sanity import sanity_values

EXPECTED = SANITY.expected()


def test_the_shipped_numbers_are_those_of_plain_numpy() -> None:
    computed = compute_sanity()
    assert list(computed) == list(EXPECTED)
    for site, values in computed.items():
        assert np.abs(values.reshape(-1) - np.array(EXPECTED[site])).max() < 1e-13
        assert np.abs(values).max() < 4, "what the limits in sanity.py are argued from"


def test_the_shipped_numbers_are_those_of_torch() -> None:
    torch = pytest.importorskip("torch")
    from transformers import ErnieConfig, ErnieModel

    model = ErnieModel(ErnieConfig(**SANITY.fields, layer_norm_eps=EPSILON)).double().eval()
    state = {}
    for name, shape in sanity_shapes(SANITY.fields).items():
        values = sanity_values(name, shape)
        linear = values.ndim == 2 and "embeddings" not in name
        state[name_in_port(name, "ErnieModel")] = torch.tensor(values.T.copy() if linear else values)
    model.load_state_dict(state)
    types = {name: torch.tensor(rows) for name, rows in SANITY.types.items()}
    with torch.no_grad():
        output = model(torch.tensor(SANITY.ids), attention_mask=torch.tensor(SANITY.mask), **types)
    visible = np.array(SANITY.mask, bool)
    last = np.array(EXPECTED["last_hidden_state"]).reshape(2, 5, -1)
    assert np.abs(output.last_hidden_state.numpy() - last)[visible].max() < 1e-13
    # Of [PAD] Paddle's lookup gives zeros, torch's the row.
    assert np.abs(output.last_hidden_state.numpy() - last)[~visible].max() > 1e-3
    assert np.abs(output.pooler_output.numpy().reshape(-1) - np.array(EXPECTED["pooler_output"])).max() < 1e-13
