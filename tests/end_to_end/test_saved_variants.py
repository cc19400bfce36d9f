"""Whatever PaddleNLP saves: a plain from_pretrained gives what PaddleNLP's gives, in both lines of transformers.

A folder is converted with no option at all, and loaded with none. transformers 4.57 loads every model in float32 unless
it is asked for another dtype: there the numbers are held against PaddleNLP's float32.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converter.conversion import convert

#: Of two sound programs, relative to the largest value; a norm that was rounded to half is off by 1e-4 and more.
LIMITS = {"float32": 2e-5, "float64": 1e-12}


@dataclass(frozen=True)
class Variants:
    """What PaddleNLP saved and computed, and the converted folders."""

    facts: dict[str, Any]
    outputs: dict[str, np.ndarray]
    ids: Path
    converted: Path
    dtypes: dict[str, set[str]]


@pytest.fixture(scope="module")
def variants(run_paddle: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> Variants:
    folder, converted = tmp_path_factory.mktemp("saved"), tmp_path_factory.mktemp("converted")
    run_paddle("saved_variants.py", folder)
    facts, dtypes = json.loads((folder / "facts.json").read_text(encoding="utf-8")), {}
    for name in facts:
        convert(folder / name, converted / name)
        manifest = json.loads((converted / name / "paddle2torch.json").read_text(encoding="utf-8"))
        assert all(row["dtype"] == row["source_dtype"] for row in manifest["tensors"])
        dtypes[name] = {row["dtype"] for row in manifest["tensors"]}
    with np.load(folder / "outputs.npz") as file:
        outputs = {key: file[key] for key in file.files}
    return Variants(facts, outputs, folder / "outputs.npz", converted, dtypes)


def test_the_variants_are_many(variants: Variants) -> None:
    assert len(variants.facts) > 20
    assert {dtype for fact in variants.facts.values() for dtype in fact["dtypes"]} == {
        *("float16", "bfloat16", "float32", "float64")
    }
    assert {frozenset(found) for found in variants.dtypes.values()} >= {
        *map(frozenset, (["float16"], ["bfloat16"], ["float16", "float32"], ["bfloat16", "float32"], ["float64"]))
    }


@pytest.mark.parametrize("line", ["4", "5"])
def test_a_plain_load_is_paddlenlps_default_load(
    variants: Variants, line: str, run_script: Any, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    python = request.getfixturevalue(f"transformers{line}_python")
    run_script(python, "load_variants.py", variants.converted, variants.ids, tmp_path / "result")
    found = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    with np.load(tmp_path / "result.npz") as file:
        outputs = {key: file[key] for key in file.files}
    kind = "default" if line == "5" else "float32"
    wrong = []
    for name, fact in variants.facts.items():
        expected = fact["dtypes"] if line == "5" else ["float32"]
        if found[name]["dtypes"] != expected:
            wrong.append(f"{fact['name']}: {found[name]['dtypes']} after loading, expected {expected}")
        if found[name]["labels"] != fact["labels"] and "ForQuestion" not in fact["class"]:
            wrong.append(f"{fact['name']}: labels {found[name]['labels']}, expected {fact['labels']}")
        if found[name]["dropout"] != fact["dropout"]:
            wrong.append(f"{fact['name']}: dropout {found[name]['dropout']}, expected {fact['dropout']}")
        start = f"{name}/{kind}/"
        ends = [key.removeprefix(start) for key in variants.outputs if key.startswith(start)]
        assert ends
        for end in ends:
            ours, theirs = outputs[f"{name}/{end}"], variants.outputs[start + end]
            # Half parameters are compared in float32: both sides have them as they were loaded.
            limit = LIMITS["float64" if expected == ["float64"] else "float32"]
            error = float(np.abs(ours - theirs).max() / np.abs(theirs).max())
            if ours.shape != theirs.shape or not error <= limit:
                wrong.append(f"{fact['name']}: {end} is off by {error:.1e}, allowed {limit:.0e}")
    assert wrong == []
