"""Incomplete sources, or sources with NaN: what the user adds, and what the report states about the rest."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converter.common.errors import ReferenceFailure, SourceError
from converter.conversion import convert
from converter.open.options import SourceOptions
from tests.support.checkpoints import make_config, make_state, write_folder
from verify import verify
from verify.open_source import open_for
from verify.reference.find import make_request
from verify.weights.nonfinite import count_not_finite

CLASS = "ErnieMForTokenClassification"


def make_reference(folder: Path, script: str) -> Path:
    """An interpreter that ends as a Paddle would."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_options_take_the_place_of_a_config(tmp_path: Path) -> None:
    """OUTPUT's own config is not what says it then: a wrong one is found."""
    source, output = write_folder(tmp_path / "source", config={}), tmp_path / "output"
    convert(source, output, architecture="ErnieMModel", num_attention_heads=2)
    assert verify(source, output, static_only=True, architecture="ErnieMModel", num_attention_heads=2).passed
    report = verify(source, output, static_only=True, architecture="ErnieMModel", num_attention_heads=4)
    assert [problem.text for problem in report.problems] == ["config.json: num_attention_heads is 2, expected 4"]
    assert not any("taken from OUTPUT" in warning for warning in report.warnings)


def test_what_is_said_in_part_is_not_overruled(tmp_path: Path) -> None:
    source, output = write_folder(tmp_path / "source", config={}), tmp_path / "output"
    convert(source, output, architecture="ErnieMModel", num_attention_heads=2)
    report = verify(source, output, static_only=True, num_attention_heads=4)
    assert any("architecture=ErnieMModel: taken from OUTPUT's config.json" in text for text in report.warnings)
    assert "num_attention_heads is 2, expected 4" in str(report.problems[0])


def test_a_config_from_elsewhere(tmp_path: Path) -> None:
    source, output = write_folder(tmp_path / "source", make_state(CLASS), config={}), tmp_path / "output"
    config = tmp_path / "given.json"
    config.write_text(json.dumps(make_config(CLASS, hidden_dropout_prob=0.25)))
    convert(source, output, config=config)
    assert verify(source, output, static_only=True, config=config).passed
    config.write_text(json.dumps(make_config(CLASS, hidden_dropout_prob=0.5)))
    assert "hidden_dropout_prob is 0.25, expected 0.5" in str(
        verify(source, output, static_only=True, config=config).problems[0]
    )


def test_what_speaks_of_a_source_needs_one(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="are about a SOURCE, and none is given"):
        verify(None, tmp_path, trace=tmp_path / "trace", tokenizer=tmp_path)
    with pytest.raises(SourceError, match="--family are about a SOURCE, and none is given"):
        verify(None, tmp_path, trace=tmp_path / "trace", family="ernie_m")


def test_the_family_can_be_named(tmp_path: Path) -> None:
    source, output = write_folder(tmp_path / "source"), tmp_path / "output"
    convert(source, output)
    report = verify(source, output, static_only=True, family="ernie_m")
    assert report.passed and report.family == "ernie_m"
    with pytest.raises(SourceError, match=r"family is 'unheard', expected one of .*\bernie_m\b") as caught:
        verify(source, output, static_only=True, family="unheard")
    assert caught.value.problems[0].code == "E091"


def test_the_recorder_gets_the_tokenizer_from_elsewhere(tmp_path: Path, tokenizer_folder: Path) -> None:
    source = write_folder(tmp_path / "source", make_state(vocab_size=1600), make_config(vocab_size=1600))
    opened, plan, _ = open_for(tmp_path / "output", source, SourceOptions(tokenizer=tokenizer_folder))
    assert make_request(opened, plan, "float64", None, tokenizer_folder).tokenizer == str(tokenizer_folder)
    opened, plan, _ = open_for(tmp_path / "output", source)
    assert make_request(opened, plan, "float64", None).tokenizer is None


def test_tokens_against_a_tokenizer_from_elsewhere(
    make_checkpoint: Callable[..., None], tokenizer_folder: Path, ready: Any, paddle_python: Path, tmp_path: Path
) -> None:
    """Without the option the report says that the tokens were not compared; with it they are."""
    source, output = tmp_path / "source", tmp_path / "output"
    make_checkpoint(source, "--vocab-size", 1600)
    convert(source, output, tokenizer=tokenizer_folder)
    options: dict[str, Any] = {"paddle_python": paddle_python, "start": ready}
    without = verify(source, output, **options)
    assert without.passed and without.tokenizer is None and without.checked == ["weights", "numbers"]
    assert any("--tokenizer FOLDER names the folder that it came from" in text for text in without.warnings)
    report = verify(source, output, tokenizer=tokenizer_folder, **options)
    assert report.passed and report.tokenizer is not None and report.tokenizer.texts > 300
    assert report.checked == ["weights", "numbers", "tokens"]


@pytest.fixture
def with_nan(tmp_path: Path) -> tuple[Path, Path]:
    state = make_state()
    state["pooler.dense.weight"][1, 2] = np.nan
    state["pooler.dense.bias"][:2] = np.inf
    source, output = write_folder(tmp_path / "source", state), tmp_path / "output"
    convert(source, output, allow_nonfinite=True)
    return source, output


@pytest.mark.parametrize("said", ["this Paddle is broken: the same input gave other numbers", "numbers are not finite"])
def test_nan_in_source_is_not_blamed_on_paddle(with_nan: tuple[Path, Path], tmp_path: Path, said: str) -> None:
    """The weights can be judged, and equal NaN are equal; numbers cannot: exit code 2, and why."""
    source, output = with_nan
    assert verify(source, output, static_only=True).passed
    python = make_reference(tmp_path, f"echo '@error {said}'; exit 3")
    with pytest.raises(ReferenceFailure) as raised:
        verify(source, output, paddle_python=python)
    (problem,) = raised.value.problems
    assert problem.code == "E608"
    assert "pooler.dense.weight (1 of 64)" in problem.text and "pooler.dense.bias (2 of 8)" in problem.text
    assert "OUTPUT's weights are SOURCE's, bit for bit" in problem.text


def test_a_fault_is_a_verdict_in_spite_of_nan(with_nan: tuple[Path, Path], tmp_path: Path) -> None:
    source, output = with_nan
    path = output / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    report = verify(source, output, paddle_python=make_reference(tmp_path, "echo '@error broken'; exit 3"))
    assert not report.passed and report.checked == ["weights"]
    assert any(text.startswith("numbers and tokens were not compared: SOURCE has NaN") for text in report.warnings)


def test_a_broken_paddle_is_still_blamed_where_the_weights_are_sound(tmp_path: Path) -> None:
    source, output = write_folder(tmp_path / "source"), tmp_path / "output"
    convert(source, output)
    with pytest.raises(ReferenceFailure, match="E602.*broken"):
        verify(source, output, paddle_python=make_reference(tmp_path, "echo '@error broken'; exit 3"))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_what_is_not_finite(dtype: str) -> None:
    array = np.array([[0.0, -0.0, np.nan], [np.inf, -np.inf, np.finfo(dtype).max]], dtype)
    assert count_not_finite(array, dtype) == 3
    assert count_not_finite(np.asfortranarray(array), dtype) == 3
    assert count_not_finite(array[:1, :1].reshape(()), dtype) == 0


def test_bfloat16_that_is_not_finite() -> None:
    bits = np.array([0x7F80, 0xFF80, 0x7FC1, 0x7F7F, 0xFF7F, 0], np.uint16)
    assert count_not_finite(bits, "bfloat16") == 3
