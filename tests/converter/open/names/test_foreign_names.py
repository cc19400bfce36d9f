"""PyTorch files that other programs made of an ERNIE: their names are read, or named for what they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from converter.common.errors import Paddle2TorchError
from converter.open.options import SourceOptions
from converter.open.source import Source, open_source
from converter.plan.make_plan import make_plan
from mappings import TableError
from mappings.names.others import build_foreign
from tests.support.checkpoints import make_config, make_state
from tests.support.planned import assert_same

OF_TRANSFORMERS = -1  # The scheme with the targets' names.


def stock_state(source_class: str) -> dict[str, np.ndarray]:
    state = make_state(source_class, OF_TRANSFORMERS)
    return {name: array for name, array in state.items() if "task_type" not in name}


def write(folder: Path, state: dict[str, np.ndarray], source_class: str = "", **config: Any) -> Path:
    """A folder with pytorch_model.bin and a config as transformers writes it."""
    folder.mkdir()
    torch.save({name: torch.from_numpy(array.copy()) for name, array in state.items()}, folder / "pytorch_model.bin")
    names = [source_class] if source_class else ...
    said = make_config(
        source_class or "ErnieModel", architectures=names, use_task_id=False, layer_norm_eps=1e-5, paddlenlp_version=...
    )
    (folder / "config.json").write_text(json.dumps({**said, "transformers_version": "4.30.0", **config}))
    return folder


def gamma(state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    renamed = {name.replace("LayerNorm.weight", "LayerNorm.gamma"): array for name, array in state.items()}
    return {name.replace("LayerNorm.bias", "LayerNorm.beta"): array for name, array in renamed.items()}


def behind(before: str, after: str, state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {after + name.removeprefix(before) if name.startswith(before) else name: a for name, a in state.items()}


def said(source: Source) -> list[str]:
    return [warning for warning in source.warnings if "read as those of transformers' class" in warning]


@pytest.mark.parametrize("source_class", ["ErnieModel", "ErnieForMaskedLM", "ErnieForSequenceClassification"])
def test_gamma_and_beta_are_weight_and_bias(source_class: str, tmp_path: Path) -> None:
    state = stock_state(source_class)
    ids = {
        "embeddings.position_ids" if source_class == "ErnieModel" else "ernie.embeddings.position_ids": np.arange(10)
    }
    source = open_source(write(tmp_path / "gamma", {**gamma(state), **ids}, source_class))
    plain = open_source(write(tmp_path / "plain", state, source_class))
    assert_same(make_plan(source), make_plan(plain))
    assert len(said(source)) == 1 and "--behavior paddlenlp takes that of paddlenlp" in said(source)[0]
    assert not said(plain) and (source.behavior, source.config.get("layer_norm_eps")) == ("transformers", 1e-5)
    assert [name for name, why in source.tensors.left_out if "a buffer" in why] == list(ids)


def test_the_class_of_a_file_of_an_encoder_with_a_prefix_is_its_content_s(tmp_path: Path) -> None:
    """nghuyong's files have the prefix; a config that names ErnieModel takes the encoder."""
    state = gamma(stock_state("ErnieForMaskedLM"))
    assert open_source(write(tmp_path / "lm", state)).config.architecture == "ErnieForMaskedLM"
    encoder = {name: array for name, array in state.items() if name.startswith("ernie.")}
    source = open_source(write(tmp_path / "encoder", encoder))
    bare = {name.removeprefix("ernie."): array for name, array in stock_state("ErnieForMaskedLM").items()}
    plain = write(tmp_path / "plain", {n: a for n, a in bare.items() if not n.startswith("cls.")}, "ErnieModel")
    assert_same(make_plan(source), make_plan(open_source(plain)))


@pytest.mark.parametrize("pooler", [True, False])
def test_uie_as_uie_pytorch_has_it(pooler: bool, tmp_path: Path) -> None:
    state = {name: a for name, a in stock_state("UIE").items() if pooler or "pooler" not in name}
    hustai = behind("ernie.", "encoder.", gamma(state))
    assert "encoder.encoder.layer.0.attention.self.query.weight" in hustai
    source = open_source(write(tmp_path / "hustai", hustai))
    assert source.config.architecture == "UIE" and len(said(source)) == 2
    assert_same(make_plan(source), make_plan(open_source(write(tmp_path / "plain", state, "UIE"))))


def test_the_names_of_bert_are_read_where_the_family_is_known(tmp_path: Path) -> None:
    state = stock_state("ErnieForMaskedLM")
    older = behind("ernie.", "bert.", gamma(state))
    plain = make_plan(open_source(write(tmp_path / "plain", state, "ErnieForMaskedLM")))
    assert_same(make_plan(open_source(write(tmp_path / "older", older, "ErnieForMaskedLM"))), plain)
    (tmp_path / "older" / "config.json").unlink()
    options = SourceOptions(num_attention_heads=2)
    with pytest.raises(Paddle2TorchError, match="E116.*bert.embeddings.token_type_embeddings.weight.*BERT's names"):
        make_plan(open_source(tmp_path / "older", options))
    known = SourceOptions(num_attention_heads=2, family="ernie")
    assert_same(make_plan(open_source(tmp_path / "older", known)), plain)


def test_two_names_of_one_weight_are_refused(tmp_path: Path) -> None:
    state = stock_state("ErnieModel")
    twice = {**state, "embeddings.LayerNorm.gamma": state["embeddings.LayerNorm.weight"]}
    with pytest.raises(Paddle2TorchError, match="E103.*are the same weight"):
        open_source(write(tmp_path / "twice", twice, "ErnieModel"))


def test_the_names_of_paddlenlp_are_left_as_they_are(tmp_path: Path) -> None:
    """UIE before PaddleNLP 2.5 had `encoder.` too, in Paddle's layout."""
    state = {name: array for name, array in make_state("UIE", 1).items() if "task_type" not in name}
    assert "encoder.embeddings.token_type_embeddings.weight" in state
    save_file(state, tmp_path / "model.safetensors")
    config = make_config("UIE", architectures=["UIE"], use_task_id=False)
    (tmp_path / "config.json").write_text(json.dumps(config))
    source = open_source(tmp_path)
    assert source.tensors.naming == "structured" and not said(source)
    assert make_plan(source).scheme.prefix == "encoder."


RENAMED = {"stored": "{any}.a", "key": "{any}.b", "by": "x"}


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ({"renamed": [{**RENAMED, "key": "b"}]}, "different placeholders"),
        ({"renamed": [{**RENAMED, "note": ""}]}, "unknown keys: note"),
        ({"buffer": [{"name": "a"}]}, "unknown keys: name"),
        ({"foreign": [{"description": "x"}]}, "a row that fits every name"),
    ],
)
def test_a_wrong_table_is_refused(rows: dict[str, Any], text: str) -> None:
    assert build_foreign({"renamed": [RENAMED]}).renamed
    with pytest.raises(TableError, match=text):
        build_foreign(rows)
