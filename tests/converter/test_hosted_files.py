"""Files as they are hosted: surplus layers, heads that are whole or not under configs that name no class, copies that
differ."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from converter import convert
from converter.common.errors import Paddle2TorchError
from converter.open.source import open_source
from converter.plan.make_plan import make_plan
from mappings import expand, load_family

SIZES = {
    **{
        "vocab_size": 30,
        "hidden_size": 8,
        "num_hidden_layers": 2,
        "intermediate_size": 12,
        "max_position_embeddings": 9,
    },
    **{"type_vocab_size": 2, "task_type_vocab_size": 3, "num_labels": 2},
}
CONFIG = {"model_type": "ernie", "num_attention_heads": 2, "num_hidden_layers": 2}


def write(folder: Path, source_class: str, *without: str, **more: np.ndarray) -> Path:
    """A PaddleNLP folder whose config names no class; without tensors that hold these texts, with `more`."""
    table = load_family("ernie").tables[source_class]
    random = np.random.default_rng(5)
    arrays: dict[str, np.ndarray] = {}
    for entry in expand(table, table.schemes[0], SIZES):
        if entry.same_as:
            if entry.source.endswith("decoder_bias"):
                arrays[entry.source] = arrays[entry.same_as].copy()
        elif "task_type" not in entry.source:
            arrays[entry.source] = random.normal(size=entry.source_shape).astype("f4")
    arrays = {name: array for name, array in arrays.items() if not any(text in name for text in without)}
    folder.mkdir(exist_ok=True)
    save_file({**arrays, **more}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(CONFIG))
    return folder


@pytest.mark.parametrize("source_class", ["ErnieModel", "ErnieForMaskedLM", "ErnieForPretraining", "UIE"])
def test_the_class_is_that_of_the_head_that_is_whole(source_class: str, tmp_path: Path) -> None:
    plan = make_plan(open_source(write(tmp_path, source_class)))
    assert plan.table.source_class == source_class
    assert any("pooler.dense.weight" in tensor.target for tensor in plan.tensors)


def test_a_head_that_is_not_whole_is_none(tmp_path: Path) -> None:
    source = open_source(write(tmp_path, "ErnieForMaskedLM", "transform"))
    plan = make_plan(source)
    assert plan.table.source_class == "ErnieModel"
    assert "cls.predictions" in " ".join(drop.name for drop in plan.dropped)
    assert any("a part of a head is none" in warning for warning in source.warnings)


def test_a_head_of_several_classes_stays_an_error(tmp_path: Path) -> None:
    with pytest.raises(Paddle2TorchError, match="does not name the model's class"):
        make_plan(open_source(write(tmp_path, "ErnieForSequenceClassification")))


def test_a_surplus_layer_is_dropped_with_a_warning(tmp_path: Path) -> None:
    surplus = {"ernie.encoder.layers.2.norm1.bias": np.ones(8, "f4")}
    plan = make_plan(open_source(write(tmp_path, "ErnieForMaskedLM", **surplus)))
    assert [drop.name for drop in plan.dropped if "layers.2" in drop.name] == list(surplus)
    assert any("layers beyond those of the config" in warning for warning in plan.warnings)


def test_the_other_name_of_a_norm_s_weight_is_taken(tmp_path: Path) -> None:
    scale = {"cls.predictions.layer_norm.scale": np.full(8, 3, "f4")}
    plan = make_plan(open_source(write(tmp_path, "ErnieForMaskedLM", "predictions.layer_norm.weight", **scale)))
    made = {tensor.target: tensor.source.name for tensor in plan.tensors}
    assert made["cls.predictions.transform.LayerNorm.weight"] == "cls.predictions.layer_norm.scale"


def test_copies_of_the_bias_that_differ_are_warned_of(tmp_path: Path) -> None:
    bias: dict[str, Any] = {"cls.predictions.decoder_bias": np.full(30, 7, "f4")}
    done = convert(write(tmp_path / "in", "ErnieForMaskedLM", **bias), tmp_path / "out", dry_run=True)
    assert any("decoder.bias, which is taken" in warning for warning in done.warnings)


def test_copies_of_the_words_that_differ_are_refused(tmp_path: Path) -> None:
    words: dict[str, Any] = {"cls.predictions.decoder.weight": np.full((30, 8), 7, "f4")}
    with pytest.raises(Paddle2TorchError, match="E306"):
        convert(write(tmp_path / "in", "ErnieForMaskedLM", **words), tmp_path / "out", dry_run=True)


@pytest.mark.parametrize(
    ("family", "source_class", "found"),
    [
        ("ernie", "ErnieModel", "ernie"),
        ("ernie_m", "ErnieMModel", "ernie_m"),
        ("ernie_health", "ElectraModel", "ernie_health"),
        ("skep", "SkepForSequenceClassification", "skep"),
    ],
)
def test_names_without_a_config_go_to_the_family_that_misses_none(
    family: str, source_class: str, found: str, tmp_path: Path
) -> None:
    table = load_family(family).tables[source_class]
    sizes = {**SIZES, "embedding_size": 8}
    mapped = [entry for entry in expand(table, table.schemes[0], sizes) if "task_type" not in entry.source]
    save_file({e.source: np.zeros(e.source_shape, "f4") for e in mapped}, tmp_path / "model.safetensors")
    source = open_source(tmp_path)
    assert source.family.name == found
    assert any("alike" in warning for warning in source.warnings) == (source_class == "ErnieModel")
