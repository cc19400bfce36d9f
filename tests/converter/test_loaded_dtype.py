"""The dtype in OUTPUT's config.json: what the source's own from_pretrained loads in, whatever the file holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converter.conversion import Conversion, convert
from tests.support.checkpoints import make_config, make_state, write_folder
from verify import verify

#: What the file holds, under these names as Paddle's pickles have it.
STORED: dict[str, Any] = {
    "float32": lambda name, array: array,
    "float64": lambda name, array: array.astype("<f8"),
    "float16": lambda name, array: array.astype("<f2"),
    "bfloat16": lambda name, array: (array.view("<u4") >> 16).astype("<u2"),
    "float16 but norms": lambda name, array: array if "norm" in name else array.astype("<f2"),
}
#: Fields of the config -> what PaddleNLP 2.8.1 loads each of these files in (docs/formats.md).
LOADED = [
    ({}, "float32"),
    ({"dtype": None}, "float32"),
    ({"dtype": "float16"}, "float16"),
    ({"dtype": "bfloat16"}, "bfloat16"),
    ({"dtype": "float64"}, "float64"),
    ({"torch_dtype": "float16"}, "float16"),
]


def convert_stored(folder: Path, stored: str, fields: Any, dtype: str = "keep") -> tuple[Conversion, Any, Any]:
    """The conversion, OUTPUT's config and its manifest."""
    state = {name: STORED[stored](name, array) for name, array in make_state().items()}
    write_folder(folder / "in", state, make_config(**fields))
    done = convert(folder / "in", folder / "out", dtype=dtype)
    config, manifest = (
        json.loads((folder / "out" / name).read_text()) for name in ("config.json", "paddle2torch.json")
    )
    return done, config, manifest


@pytest.mark.parametrize("stored", STORED)
@pytest.mark.parametrize(("fields", "loaded"), LOADED)
def test_it_is_the_configs_and_never_the_files(tmp_path: Path, stored: str, fields: Any, loaded: str) -> None:
    _, config, manifest = convert_stored(tmp_path, stored, fields)
    assert config["dtype"] == loaded and "torch_dtype" not in config
    assert all(row["dtype"] == row["source_dtype"] for row in manifest["tensors"])
    assert manifest["asked_dtype"] == "keep"
    assert verify(tmp_path / "in", tmp_path / "out", static_only=True).passed


@pytest.mark.parametrize("fields", [{}, {"dtype": "bfloat16"}])
@pytest.mark.parametrize("stored", ["float32", "float16 but norms"])
@pytest.mark.parametrize("asked", ["float32", "float16"])
def test_who_asks_for_a_dtype_gets_it(tmp_path: Path, stored: str, fields: Any, asked: str) -> None:
    """Also where the file has it already, and only config.json changes."""
    _, config, manifest = convert_stored(tmp_path, stored, fields, asked)
    assert (config["dtype"], manifest["asked_dtype"]) == (asked, asked)
    assert verify(tmp_path / "in", tmp_path / "out", static_only=True).passed


@pytest.mark.parametrize("asked", ["keep", "float16"])
@pytest.mark.parametrize("wrong", ["bfloat16", None])
def test_another_dtype_in_the_config_fails(tmp_path: Path, asked: str, wrong: str | None) -> None:
    _, config, _ = convert_stored(tmp_path, "float16 but norms", {}, asked)
    (tmp_path / "out" / "config.json").write_text(json.dumps({**config, "dtype": wrong}))
    problems = verify(tmp_path / "in", tmp_path / "out", static_only=True).problems
    assert [problem.code for problem in problems] == ["E408"]
    expected = "float32" if asked == "keep" else asked
    assert problems[0].text == f"config.json: dtype is {wrong!r}, expected {expected!r}"


@pytest.mark.parametrize("asked", ["float16", "bfloat16", ["float16"], 16])
def test_a_manifest_alone_makes_no_dtype_right(tmp_path: Path, asked: Any) -> None:
    """What it states to have been asked for must be the dtype of every tensor."""
    _, config, manifest = convert_stored(tmp_path, "float16 but norms", {})
    (tmp_path / "out" / "config.json").write_text(json.dumps({**config, "dtype": "float16"}))
    (tmp_path / "out" / "paddle2torch.json").write_text(json.dumps({**manifest, "asked_dtype": asked}))
    problems = verify(tmp_path / "in", tmp_path / "out", static_only=True).problems
    assert [problem.code for problem in problems] == ["E408"]


@pytest.mark.parametrize("kept", [True, False])
def test_an_output_from_before_has_no_such_entry_in_its_manifest(tmp_path: Path, kept: bool) -> None:
    _, _, manifest = convert_stored(tmp_path, "float32", {}, "keep" if kept else "float16")
    del manifest["asked_dtype"]
    (tmp_path / "out" / "paddle2torch.json").write_text(json.dumps(manifest))
    assert verify(tmp_path / "in", tmp_path / "out", static_only=True).passed


@pytest.mark.parametrize(
    ("stored", "fields", "said", "rounded"),
    [
        ("float32", {}, False, 0),
        ("float16", {}, False, 0),
        ("float16 but norms", {}, True, 0),
        ("float16 but norms", {"dtype": "float16"}, True, 10),
        ("float64", {}, False, 38),
        ("bfloat16", {"dtype": "float16"}, False, 38),
    ],
)
def test_what_loading_does_to_the_values_is_warned_of(
    tmp_path: Path, stored: str, fields: Any, said: bool, rounded: int
) -> None:
    done, config, _ = convert_stored(tmp_path, stored, fields)
    mixed = [warning for warning in done.warnings if "have different dtypes" in warning]
    rounds = [warning for warning in done.warnings if "rounds the" in warning]
    assert (len(mixed), len(rounds)) == (int(said), int(bool(rounded)))
    assert not mixed or f"loads them all in {config['dtype']}" in mixed[0]
    assert not rounds or f"rounds the {rounded} tensors" in rounds[0]
    card = (tmp_path / "out" / "README.md").read_text()
    assert ("loads them in" in card) == (stored != config["dtype"])


def test_weights_without_a_config_are_loaded_in_float32(tmp_path: Path) -> None:
    state = {name: array.astype(np.float16) for name, array in make_state().items()}
    write_folder(tmp_path / "in", state, {})
    convert(tmp_path / "in", tmp_path / "out", architecture="ErnieMModel", num_attention_heads=2)
    assert json.loads((tmp_path / "out" / "config.json").read_text())["dtype"] == "float32"
