"""What is wrong in a folder of transformers' own classes is found and named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from verify import verify
from verify.numbers.pytorch_process import Start
from verify.report.terminal import render_table

LAYER = "encoder.layer.1."
Damage = Callable[[Path], None]


def change(name: str, edit: Callable[[dict[str, np.ndarray]], None]) -> Damage:
    def damage(output: Path) -> None:
        from safetensors.numpy import load_file, save_file

        tensors = load_file(output / "model.safetensors")
        assert name in tensors
        edit(tensors)
        save_file({key: np.ascontiguousarray(value) for key, value in tensors.items()}, output / "model.safetensors")

    return damage


def last_place(name: str, *index: int) -> Damage:
    def edit(tensors: dict[str, np.ndarray]) -> None:
        tensors[name][index] = np.nextafter(tensors[name][index], np.float32(np.inf))

    return change(name, edit)


def exchange(one: str, other: str) -> Damage:
    def edit(tensors: dict[str, np.ndarray]) -> None:
        tensors[one], tensors[other] = tensors[other], tensors[one]

    return change(one, edit)


def drop(*names: str) -> Damage:
    return change(names[0], lambda tensors: [tensors.pop(name) for name in names] and None)


def set_field(name: str, value: Any) -> Damage:
    def damage(output: Path) -> None:
        config = json.loads((output / "config.json").read_text())
        (output / "config.json").write_text(json.dumps({**config, name: value}))

    return damage


#: class, damage, what numbers alone say
SHOWN = {
    "epsilon": ("ErnieModel", set_field("layer_norm_eps", 1e-5), "norm:embeddings.layer_norm"),
    "epsilon of the norm of the head": (
        "ErnieForMaskedLM",
        last_place("cls.predictions.transform.LayerNorm.weight", 3),
        "norm:cls.predictions.layer_norm",
    ),
    "activation": ("ErnieModel", set_field("hidden_act", "relu"), "layers.0.linear2"),
    "tanh approximation": ("ErnieModel", set_field("hidden_act", "gelu_new"), "layers.0.linear2"),
    "a type": ("ErnieModel", last_place("embeddings.token_type_embeddings.weight", 3, 5), "token_type_embeddings"),
    "task row 0": ("ErnieModel", last_place("embeddings.task_type_embeddings.weight", 0, 1), "task_type_embeddings"),
    "a word that no text has": (
        "ErnieModel",
        last_place("embeddings.word_embeddings.weight", -1, 4),
        "word_embeddings.weight, row",
    ),
    "q and k exchanged": (
        "ErnieModel",
        exchange(LAYER + "attention.self.query.weight", LAYER + "attention.self.key.weight"),
        "layers.1.self_attn.q_proj",
    ),
    "the row of [PAD] as an output": (
        "ErnieForMaskedLM",
        last_place("ernie.embeddings.word_embeddings.weight", 0, 7),
        "logits",
    ),
    "the bias of the decoder": ("ErnieForMaskedLM", last_place("cls.predictions.bias", 5), "decoder"),
    "the pooling layer for AutoModel": (
        "ErnieForMaskedLM",
        last_place("ernie.pooler.dense.weight", 2, 3),
        "AutoModel",
    ),
    "no pooling layer for AutoModel": (
        "ErnieForMaskedLM",
        drop("ernie.pooler.dense.weight", "ernie.pooler.dense.bias"),
        "AutoModel",
    ),
    "a tensor that the class does not have": (
        "ErnieForMaskedLM",
        change(
            "cls.predictions.bias", lambda tensors: tensors.update({"cls.seq_relationship.bias": np.zeros(2, "f4")})
        ),
        "unexpected keys: cls.seq_relationship.bias",
    ),
    "no decoder": ("ErnieForMaskedLM", drop("cls.predictions.bias"), "missing keys"),
    "untied": ("ErnieForMaskedLM", set_field("tie_word_embeddings", False), "missing keys"),
}


@pytest.mark.parametrize("fault", SHOWN)
def test_numbers_alone_find_the_fault(ernie: Callable[[str], Any], ready: Start, tmp_path: Path, fault: str) -> None:
    name, damage, told = SHOWN[fault]
    whole = ernie(name)
    output = tmp_path / "output"
    shutil.copytree(whole.output, output, ignore=shutil.ignore_patterns("verification"))
    damage(output)
    report = verify(whole.source, output, trace=whole.numbers, static=False, start=ready)
    assert not report.passed
    assert told in render_table(report), render_table(report)


#: What only bytes and fields show, or the files.
STATIC = {
    "the row of [PAD]": ("ErnieModel", last_place("embeddings.word_embeddings.weight", 0, 7), "word_embeddings.weight"),
    "auto_map": ("ErnieModel", set_field("auto_map", {"AutoModel": "other.Other"}), "auto_map"),
}


@pytest.mark.parametrize("fault", STATIC)
def test_bytes_and_fields_find_the_rest(ernie: Callable[[str], Any], tmp_path: Path, fault: str) -> None:
    name, damage, told = STATIC[fault]
    whole = ernie(name)
    output = tmp_path / "output"
    shutil.copytree(whole.output, output, ignore=shutil.ignore_patterns("verification"))
    damage(output)
    report = verify(whole.source, output, static_only=True)
    assert not report.passed and told in render_table(report)
