"""The model of known numbers: its numbers are right, a sound Paddle gives them, and a damaged one is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from converter.common.errors import ReferenceFailure
from converter.conversion import convert
from tests.support.plain_ernie_m import compute_sanity, sanity_shapes
from verify import verify
from verify.recorder.families.ernie_m.adapter import SANITY
from verify.recorder.sanity import SANITY_LIMITS, sanity_values
from verify.reference.bundle_recorder import RECORDER, write_recorder

EXPECTED = SANITY.expected()


def test_the_shipped_numbers_are_those_of_plain_numpy() -> None:
    computed = compute_sanity()
    assert list(computed) == list(EXPECTED)
    for site, values in computed.items():
        assert np.abs(values.reshape(-1) - np.array(EXPECTED[site])).max() < 1e-13
        assert np.abs(values).max() < 4, "what the limits in sanity.py are argued from"


def test_the_shipped_numbers_are_those_of_torch() -> None:
    torch = pytest.importorskip("torch")
    from ernie_m import ErnieMConfig, ErnieMModel

    config = ErnieMConfig(**SANITY.fields, intermediate_size=32, layer_norm_eps=float(np.float32(1e-5)))
    model = ErnieMModel(config).double().eval()
    state = {}
    for name, shape in sanity_shapes(SANITY.fields).items():
        values = sanity_values(name, shape)
        linear = values.ndim == 2 and "embeddings" not in name
        parts = ("q_proj", "k_proj", "v_proj")
        target = name.replace("self_attn.", "self_attn.self_attn.") if any(part in name for part in parts) else name
        state[target] = torch.tensor(values.T.copy() if linear else values)
    model.load_state_dict(state)
    with torch.no_grad():
        output = model(torch.tensor(SANITY.ids), attention_mask=torch.tensor(SANITY.mask))
    for site in ("last_hidden_state", "pooler_output"):
        assert np.abs(output[site].numpy().reshape(-1) - np.array(EXPECTED[site])).max() < 1e-13


def test_the_weights_are_the_same_in_every_release() -> None:
    """By hand: state 1, then letter 'a' (97): 1 * 131 + 97 = 228; 228 * 48271 = 11005788, >> 15 = 335."""
    assert sanity_values("a", (1,))[0] == (335 / 32768 - 1) / 2
    assert sanity_values("a.bias", (2,)).dtype == np.float64
    drawn = sanity_values("embeddings.word_embeddings.weight", (50, 40))
    assert -1 <= drawn.min() < -0.99 and 0.99 < drawn.max() <= 1 and abs(drawn.mean()) < 0.05


@pytest.fixture(scope="module")
def said(run_paddle: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the check says to each damage of Paddle."""
    folder = tmp_path_factory.mktemp("doctored")
    write_recorder(folder / RECORDER)
    run_paddle("doctored_paddle.py", folder / RECORDER, folder / "said.json")
    found: dict[str, str] = json.loads((folder / "said.json").read_text())
    return found


@pytest.mark.parametrize("name", ["sound, float64", "sound, float32", "sound again"])
def test_a_sound_paddle_passes(said: dict[str, str], name: str) -> None:
    assert said[name] == ""


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("softmax is uniform", "last_hidden_state of a tiny model wrongly"),
        ("softmax over another axis", "last_hidden_state of a tiny model wrongly"),
        ("linear gives zeros", "last_hidden_state of a tiny model wrongly"),
        ("linear without bias", "last_hidden_state of a tiny model wrongly"),
        ("linear in float32", "last_hidden_state of a tiny model wrongly"),
        ("linear gives nan", "not finite for last_hidden_state"),
        ("gelu by tanh", "last_hidden_state of a tiny model wrongly"),
        ("epsilon", "embeddings of a tiny model wrongly"),
        ("embedding of the next row", "a tiny model"),
        ("tanh left out", "pooler_output of a tiny model wrongly"),
        ("nothing comes back", "give 0 numbers for embeddings of a tiny model, expected 80"),
        ("other numbers each time", "give other numbers each time"),
        ("an error", "cannot run a tiny model: AttributeError"),
    ],
)
def test_a_damaged_paddle_is_found(said: dict[str, str], damage: str, told: str) -> None:
    assert told in said[damage] and "Paddle" in said[damage]


def test_limits_are_stated() -> None:
    assert SANITY_LIMITS == {"float64": 1e-12, "float32": 2e-5}


def test_a_broken_reference_gives_no_verdict(
    checkpoints: dict[str, Path], live_paddle_python: Path, tmp_path: Path
) -> None:
    """The whole way: the interpreter that --paddle-python names has a Paddle whose softmax is broken."""
    doctored = tmp_path / "doctored"
    doctored.mkdir()
    (doctored / "sitecustomize.py").write_text(
        "import paddle.nn.functional as F\n"
        "import paddle\n"
        "F.softmax = lambda x, *rest, **more: paddle.ones_like(x) / x.shape[-1]\n"
    )
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{doctored}" exec "{live_paddle_python}" "$@"\n')
    python.chmod(0o755)
    source, output = checkpoints["ErnieMModel"], tmp_path / "out"
    convert(source, output)
    with pytest.raises(ReferenceFailure, match="E611.*reference is broken.*last_hidden_state.*nothing was verified"):
        verify(source, output, paddle_python=python, record=tmp_path / "trace")
    assert not (output / "verification").exists() and not (tmp_path / "trace").exists()
