"""Every real sample opens under PaddleNLP's keys, with the numbers that its writer had."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import converter
from converter.common.errors import FileError, SourceError
from converter.open.dispatch import open_weights
from tests.support.pickles import open_bytes, values

SAMPLES = """
nlp226-seqcls-keyword nlp226-seqcls-positional nlp237-mc nlp242-uiem-encoder-prefix odd-hf-cache-symlinks
pd18-save-dygraph pd18py2-save-dygraph pd26-nlp-base pd33-nlp-base pd33-nlp-bf16 pd33-nlp-bf16-safetensors
pd33-nlp-fp16 pd33-nlp-mc pd33-nlp-qa pd33-nlp-safetensors pd33-nlp-safetensors-sharded pd33-nlp-seqcls
pd33-nlp-sharded pd33-nlp-tokcls pd33-nlp-uiem pd33-nlp-variant pd33-pickle-p5 pd33-save-bigparam-p2
pd33-save-densetensor-p2 pd33-save-fortran-view-p4 pd33-save-nested-p4 pd33-save-p2 pd33-save-p3 pd33-static-save
pd33-trainer-checkpoint
"""
STATIC = """
odd-release-mlm-extras pd18-finetuned-seqcls-persistables pd18-release-combined pd18-release-params
pd33-12layers-combined-infer pd33-combined-infer pd33-jit-seqcls pd33-jit-uiem pd33-pervar
"""


def weights_of(sample: Path, tmp_path: Path) -> Path:
    meta = json.loads((sample / "meta.json").read_text())
    if sample.name == "odd-hf-cache-symlinks":  # a checkout may hold its links as text
        (tmp_path / "snapshot").mkdir()
        link = tmp_path / "snapshot" / "model_state.pdparams"
        link.symlink_to(sample / "blobs" / "deadbeef")
        return tmp_path / "snapshot"
    return sample / meta["weights"] if "weights" in meta else sample


@pytest.mark.parametrize("name", [*SAMPLES.split(), *STATIC.split()])
def test_a_real_checkpoint_opens_with_the_numbers_of_its_writer(name: str, shared_data: Path, tmp_path: Path) -> None:
    sample = shared_data / "checkpoints" / name
    opened = open_weights(weights_of(sample, tmp_path))
    found = {key: values(tensor) for key, tensor in opened.tensors.items()}
    if name == "nlp242-uiem-encoder-prefix":
        found = {re.sub("^encoder[.]", "ernie_m.", key): array for key, array in found.items()}
    with np.load(sample / "expected.npz") as expected:
        assert set(found) == set(expected.files)
        for key in expected.files:
            np.testing.assert_array_equal(found[key], expected[key], strict=True, err_msg=key)
    assert bool(opened.warnings or opened.extras) == (
        json.loads((sample / "meta.json").read_text())["expect"] == "load-warn"
    )


def test_all_samples_are_in_the_lists(shared_data: Path) -> None:
    found = {path.parent.name for path in (shared_data / "checkpoints").glob("*/meta.json")}
    assert found == {*SAMPLES.split(), *STATIC.split()}


@pytest.mark.parametrize("name", ["scheduler.pdparams", "optimizer.pdopt", "training_args.bin", "rng_state.pth"])
def test_what_lies_beside_a_model_is_not_taken_for_one(name: str, shared_data: Path) -> None:
    with pytest.raises((SourceError, FileError)):
        open_weights(shared_data / "checkpoints" / "pd33-trainer-checkpoint" / "checkpoint-2" / name)


def test_a_path_with_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="E001.*no such file or folder"):
        open_weights(tmp_path / "nothing")


def test_a_file_of_an_unknown_kind_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"E004.*weights\.onnx is of an unknown kind"):
        open_bytes(tmp_path, b"x", "weights.onnx")


def test_reading_is_done_without_pickle_or_paddle() -> None:
    forbidden = {"pickle", "_pickle", "pickletools", "shelve", "marshal", "dill", "joblib", "paddle", "paddlenlp"}
    for path in Path(next(iter(converter.__path__))).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, (ast.Import, ast.ImportFrom)) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            tables = (
                {"pickletools"} if path.name == "opcodes.py" else set()
            )  # Its table of opcodes, which runs nothing.
            assert not (forbidden - tables) & {name.split(".")[0] for name in names}, path
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "pickletools":
                assert node.attr in ("opcodes", "ArgumentDescriptor") or node.attr.isupper(), path
            called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
            assert called not in ("eval", "exec", "compile", "__import__"), path


def test_importing_the_readers_is_instant_because_numpy_waits() -> None:
    code = "import sys, converter.open.dispatch; print(sorted({'numpy', 'pickle', 'safetensors'} & set(sys.modules)))"
    root = Path(next(iter(converter.__path__))).parent
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
