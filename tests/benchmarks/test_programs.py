"""The programs of contenders, once each, on inputs that take no time."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from benchmarks.contest import PROGRAMS, ROOT
from converter.conversion import convert
from tests.ernie_m.tokenization_reference import write_config
from tests.support.forked_python import forked_python

TEXTS = ["Paris is the capital of France.", "北京", "one", "two"]
#: Contender of programs/model_step.py and programs/tokenize_texts.py -> the fixture of its interpreter.
PYTHONS = {"ours": "product_python", "port": "port_python", "paddle": "paddle_python"}


@pytest.fixture(scope="module")
def port_python(transformers4_python: Path) -> Iterator[Path]:
    """The interpreter of the port with its slow imports done."""
    modules = ("torch", "transformers.models.deprecated.ernie_m.modeling_ernie_m")
    with forked_python(transformers4_python, modules) as program:
        yield program


def run(python: Path, program: str, *words: object, tasks: tuple[dict[str, Any], ...] = ()) -> str:
    done = subprocess.run(
        [str(python), str(PROGRAMS / program), *map(str, words)],
        input="".join(f"{json.dumps(task)}\n" for task in tasks),
        env={**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def check_answers(output: str, count: int) -> None:
    answers = [json.loads(line) for line in output.splitlines()]
    assert len(answers) == count and all(answer["seconds"] > 0 for answer in answers)


@pytest.mark.parametrize("contender", ["sdpa", "eager skip-padding", "sdpa checkpointing", "port", "paddle"])
def test_a_step_of_the_model(contender: str, request: pytest.FixtureRequest) -> None:
    python = request.getfixturevalue(PYTHONS.get(contender, "product_python"))
    shape = {"batch": 2, "length": 8, "padded": True}
    tasks = ({"work": "forward", **shape}, {"work": "training", **shape})
    check_answers(run(python, "model_step.py", contender, "tiny", 1, tasks=tasks), 2)


@pytest.mark.parametrize("contender", ["ours", "port", "paddle", "sentencepiece"])
def test_texts_are_cut(contender: str, tokenizer_folder: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    python = request.getfixturevalue(PYTHONS.get(contender, "product_python"))
    texts = tmp_path / "texts.json"
    texts.write_text(json.dumps(TEXTS), encoding="utf-8")
    calls = [(1, {}), (3, {})]
    if contender != "sentencepiece":
        options = {"truncation": True, "max_length": 8, "return_attention_mask": True}
        calls += [(1, options), (2, {"padding": True, **options}), (0, {"return_token_type_ids": True})]
    if contender == "ours":
        calls += [(2, {"return_offsets_mapping": True})]
    tasks = tuple({"batch": batch, "options": options} for batch, options in calls)
    folder = write_config(tokenizer_folder)
    check_answers(run(python, "tokenize_texts.py", contender, folder, texts, tasks=tasks), len(tasks))
    loaded = json.loads(run(python, "tokenize_texts.py", contender, folder).splitlines()[-1])
    assert loaded["seconds"] > 0 and loaded["own_megabytes"] > 0


def test_the_public_check_finds_equal_models_equal_and_others_different(
    checkpoints: dict[str, Path], product_python: Path, paddle_python: Path, tmp_path: Path
) -> None:
    source, converted = checkpoints["ErnieMForTokenClassification"], tmp_path / "converted"
    convert(source, converted)
    words = (paddle_python, source, converted, tmp_path / "output")
    assert "equal at 1e-05: " in run(product_python, "public_check.py", *words)
    shutil.rmtree(tmp_path / "output")
    state = load_file(converted / "model.safetensors")
    state["ernie_m.encoder.layers.0.linear1.bias"] = state["ernie_m.encoder.layers.0.linear1.bias"] + 1e-3
    save_file(state, converted / "model.safetensors", {"format": "pt"})
    assert "different at 1e-05: " in run(product_python, "public_check.py", *words)


def test_the_public_way_renames_and_turns(tmp_path: Path) -> None:
    source, output = tmp_path / "source", tmp_path / "output"
    source.mkdir()
    state = {
        "ernie.encoder.layers.0.self_attn.q_proj.weight": np.arange(6.0).reshape(2, 3),
        "cls.predictions.decoder.weight": np.arange(6.0).reshape(2, 3),
        "ernie.embeddings.layer_norm.bias": np.zeros(3),
        "StructuredToParameterName@@": {},
    }
    (source / "model_state.pdparams").write_bytes(pickle.dumps(state, 4))
    run(Path(sys.executable), "public_script.py", "pickle", "safetensors", source, output)
    found = load_file(output / "model.safetensors")
    assert {name: array.shape for name, array in found.items()} == {
        "ernie.encoder.layer.0.attention.self.query.weight": (3, 2),
        "cls.predictions.decoder.weight": (2, 3),
        "ernie.embeddings.LayerNorm.bias": (3,),
    }
