"""Every real sample that is a pickle or a safetensors file opens, with the numbers that its writer had."""

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
from converter.errors import FileError, SourceError
from converter.open.weights import open_weights
from tests.converter.open.pickles import open_bytes, values

SAMPLES = """
nlp226-seqcls-keyword nlp226-seqcls-positional nlp237-mc nlp242-uiem-encoder-prefix odd-hf-cache-symlinks
pd18-save-dygraph pd18py2-save-dygraph pd26-nlp-base pd33-nlp-base pd33-nlp-bf16 pd33-nlp-bf16-safetensors
pd33-nlp-fp16 pd33-nlp-mc pd33-nlp-qa pd33-nlp-safetensors pd33-nlp-safetensors-sharded pd33-nlp-seqcls
pd33-nlp-sharded pd33-nlp-tokcls pd33-nlp-uiem pd33-nlp-variant pd33-pickle-p5 pd33-save-bigparam-p2
pd33-save-densetensor-p2 pd33-save-fortran-view-p4 pd33-save-nested-p4 pd33-save-p2 pd33-save-p3 pd33-static-save
pd33-trainer-checkpoint
"""
#: The names of 2021, which static.save writes (FORMATS.md 3.2): each pattern and PaddleNLP's form.
OFFICIAL = (
    (r"word_embedding", r"ernie_m.embeddings.word_embeddings.weight"),
    (r"pos_embedding", r"ernie_m.embeddings.position_embeddings.weight"),
    (r"pre_encoder_(layer_norm)_(\w+)", r"ernie_m.embeddings.\1.\2"),
    (r"encoder_layer_(\d+)_multi_head_att_(\w+?)_fc.(.)_0", r"ernie_m.encoder.layers.\1.self_attn.\2_proj.\3"),
    (r"encoder_layer_(\d+)_post_att_layer_norm_(\w+)", r"ernie_m.encoder.layers.\1.norm1.\2"),
    (r"encoder_layer_(\d+)_post_ffn_layer_norm_(\w+)", r"ernie_m.encoder.layers.\1.norm2.\2"),
    (r"encoder_layer_(\d+)_ffn_fc_0.(.)_0", r"ernie_m.encoder.layers.\1.linear1.\2"),
    (r"encoder_layer_(\d+)_ffn_fc_1.(.)_0", r"ernie_m.encoder.layers.\1.linear2.\2"),
    (r"pooled_fc.(.)_0", r"ernie_m.pooler.dense.\1"),
    (r"cls_out_(.)", r"classifier.\1"),
)
PARTS = {"query_": "q_", "key_": "k_", "value_": "v_", "output_": "out_"}
TAILS = {"w": "weight", "b": "bias", "scale": "weight"}


def today(name: str) -> str:
    """PaddleNLP's name of today for a name of 2021."""
    for pattern, form in OFFICIAL:
        match = re.fullmatch(pattern, name)
        if match:
            name = match.expand(form)
            for old, new in PARTS.items():
                name = name.replace(old + "proj", new + "proj")
            head, _, tail = name.rpartition(".")
            return f"{head}.{TAILS.get(tail, tail)}"
    return name


def weights_of(sample: Path, tmp_path: Path) -> Path:
    meta = json.loads((sample / "meta.json").read_text())
    if sample.name == "pd33-static-save":
        return sample / "model.pdparams"
    if sample.name == "odd-hf-cache-symlinks":  # a checkout may hold its links as text
        (tmp_path / "snapshot").mkdir()
        link = tmp_path / "snapshot" / "model_state.pdparams"
        link.symlink_to(sample / "blobs" / "deadbeef")
        return tmp_path / "snapshot"
    return sample / meta["weights"] if "weights" in meta else sample


@pytest.mark.parametrize("name", SAMPLES.split())
def test_a_real_checkpoint_opens_with_the_numbers_of_its_writer(name: str, shared_data: Path, tmp_path: Path) -> None:
    sample = shared_data / "checkpoints" / name
    opened = open_weights(weights_of(sample, tmp_path))
    found = {today(key): values(tensor) for key, tensor in opened.tensors.items()}
    if name == "nlp242-uiem-encoder-prefix":
        found = {re.sub("^encoder[.]", "ernie_m.", key): array for key, array in found.items()}
    with np.load(sample / "expected.npz") as expected:
        assert set(found) == set(expected.files)
        for key in expected.files:
            np.testing.assert_array_equal(found[key], expected[key], strict=True, err_msg=key)
    assert bool(opened.warnings) == (json.loads((sample / "meta.json").read_text())["expect"] == "load-warn")


def test_all_samples_of_these_formats_are_in_the_list(shared_data: Path) -> None:
    metas = [json.loads(path.read_text()) for path in (shared_data / "checkpoints").glob("*/meta.json")]
    static = ("combined", "pervar")
    assert {meta["variant"] for meta in metas if meta["format"] not in static} == set(SAMPLES.split())


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
            assert not forbidden & {name.split(".")[0] for name in names}, path
            called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
            assert called not in ("eval", "exec", "compile", "__import__"), path


def test_importing_the_readers_is_instant_because_numpy_waits() -> None:
    code = "import sys, converter.open.weights; print(sorted({'numpy', 'pickle', 'safetensors'} & set(sys.modules)))"
    root = Path(next(iter(converter.__path__))).parent
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
