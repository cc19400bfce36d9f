"""The names of ERNIE's own releases, fluid and dygraph: what they are in PaddleNLP, and what is refused."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converter.common.errors import Paddle2TorchError
from converter.conversion import convert
from converter.open.options import SourceOptions
from converter.open.source import open_source
from converter.plan.make_plan import make_plan
from tests.support.checkpoints import make_config, make_state, write_folder
from tests.support.ernie_release_names import dygraph_names, fluid_names
from tests.support.ernie_releases import FORMS, write_config, write_release
from tests.support.planned import assert_same, planned
from tests.support.streams import write_variables
from verify import verify

CLASSES = (
    *("ErnieModel", "ErnieForSequenceClassification", "ErnieForTokenClassification", "ErnieForQuestionAnswering"),
    *("ErnieForMaskedLM", "ErnieForPretraining"),
)


def make_model(source_class: str, *, tasks: bool = False) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    state = make_state(source_class)
    config = make_config(source_class, architectures=[source_class], use_task_id=tasks)
    return {key: array for key, array in state.items() if tasks or "task_type" not in key}, config


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("source_class", CLASSES)
def test_a_release_is_the_model_that_paddlenlp_has(source_class: str, form: str, tmp_path: Path) -> None:
    state, config = make_model(source_class)
    if source_class in ("ErnieForTokenClassification", "ErnieForQuestionAnswering") and form != "dygraph":
        # The programs of these have no pooling layer.
        state = {key: array for key, array in state.items() if "pooler" not in key}
    source = open_source(write_release(form, tmp_path / "release", state, config))
    assert source.tensors.naming == "official" and source.family.name == "ernie"
    assert source.behavior == "release" and any("its code, 1e-5" in warning for warning in source.warnings)
    if form == "dygraph" and "classifier" in " ".join(state):  # Its classes give their classifiers one name.
        with pytest.raises(Paddle2TorchError, match="E010.*does not name the model's class"):
            make_plan(source)
        return
    if form == "without a program" and source_class == "ErnieForQuestionAnswering":  # A tagger's shapes, too.
        with pytest.raises(Paddle2TorchError, match="E010.*does not name the model's class"):
            make_plan(source)
        return
    expected = make_plan(open_source(write_folder(tmp_path / "nlp", state, config)))
    assert source.config.architecture == source_class
    assert_same(make_plan(source), expected)


@pytest.mark.parametrize("form", ["variables", "combined", "without a program"])
def test_task_types_are_those_of_a_config_that_has_them(form: str, tmp_path: Path) -> None:
    state, config = make_model("ErnieForPretraining", tasks=True)
    source = open_source(write_release(form, tmp_path / "release", state, config))
    expected = make_plan(open_source(write_folder(tmp_path / "nlp", state, config)))
    assert_same(make_plan(source), expected)
    assert expected.switches == make_plan(source).switches == {"use_task_id": True}


def test_a_name_of_2_0_for_the_types_is_read(tmp_path: Path) -> None:
    state, config = make_model("ErnieModel")
    folder = write_release("variables", tmp_path / "release", state, config)
    found = json.loads((folder / "ernie_config.json").read_text())
    found["sent_type_vocab_size"] = found.pop("type_vocab_size")
    (folder / "ernie_config.json").write_text(json.dumps(found))
    source = open_source(folder)
    assert source.family.name == "ernie" and source.config.get("type_vocab_size") == 4


@pytest.mark.parametrize(("architecture", "family"), [("ErnieGramModel", "ernie_gram"), ("SkepModel", "skep")])
def test_families_that_are_like_it_are_read_where_they_are_asked_for(
    architecture: str, family: str, tmp_path: Path
) -> None:
    state, config = make_model("ErnieModel")
    folder = tmp_path / "release"
    folder.mkdir()
    more = {"rel_pos_bias_emb.weight": np.ones((3, 2), "f4")} if family == "ernie_gram" else {}
    (folder / "saved_weights.pdparams").write_bytes(pickle.dumps({**dygraph_names(state), **more}, 2))
    write_config(folder, config)
    source = open_source(folder, SourceOptions(family=family))
    plan = make_plan(source)
    assert plan.table.source_class == architecture
    assert_same(plan, make_plan(open_source(write_folder(tmp_path / "nlp", state, config))))
    assert not more or any("relative positions" in warning for warning in plan.warnings)


def test_a_part_of_a_head_is_none(tmp_path: Path) -> None:
    state, config = make_model("ErnieForMaskedLM")
    names = {name: array for name, array in fluid_names(state).items() if not name.startswith("mask_lm_trans_fc")}
    write_variables(tmp_path / "params", names)
    write_config(tmp_path, config)
    source = open_source(tmp_path)
    assert source.config.architecture == "ErnieModel"
    assert any("a part of a head is none" in warning for warning in source.warnings)
    assert "pooler.dense.weight" in planned(make_plan(source))


def test_a_decoder_of_its_own_is_refused(tmp_path: Path) -> None:
    state, config = make_model("ErnieForMaskedLM")
    names = {**fluid_names(state), "mask_lm_out_fc.w_0": np.ones((8, 30), "f4")}
    write_variables(tmp_path / "params", names)
    write_config(tmp_path, config)
    with pytest.raises(Paddle2TorchError, match="E010"):
        make_plan(open_source(tmp_path))
    with pytest.raises(Paddle2TorchError, match="E110.*mask_lm_out_fc.w_0"):
        make_plan(open_source(tmp_path, SourceOptions(architecture="ErnieForMaskedLM")))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cls_out_w": (8, 3), "cls_seq_label_out_w": (8, 3)}, "E103.*heads of ErnieForSequence.* and ErnieForToken"),
        ({"word_emb.weight": (30, 8)}, "E103.*are the same weight"),
        ({"ernie.embeddings.word_embeddings.weight": (30, 8)}, "E103.*two naming schemes"),
        ({"embeddings.layer_norm.weight": (8,)}, "E103.*are the same weight"),
    ],
)
def test_two_readings_are_refused(change: dict[str, tuple[int, ...]], said: str, tmp_path: Path) -> None:
    state, config = make_model("ErnieModel")
    more = {name: np.ones(shape, "f4") for name, shape in change.items()}
    write_variables(tmp_path / "params", {**fluid_names(state), **more})
    write_config(tmp_path, config)
    with pytest.raises(Paddle2TorchError, match=said):
        make_plan(open_source(tmp_path))


def test_ernie_gen_has_the_same_names_and_is_refused(tmp_path: Path) -> None:
    state, config = make_model("ErnieForMaskedLM")
    names = {name: array for name, array in dygraph_names(state).items() if not name.startswith("pooler.")}
    (tmp_path / "saved_weights.pdparams").write_bytes(pickle.dumps(names, 2))
    write_config(tmp_path, config)
    with pytest.raises(Paddle2TorchError, match="E116.*this is ERNIE-Gen"):
        make_plan(open_source(tmp_path))


@pytest.mark.parametrize("form", ["variables", "dygraph"])
def test_the_output_of_a_release_is_verified_tensor_by_tensor(form: str, tmp_path: Path) -> None:
    state, config = make_model("ErnieForPretraining")
    folder = write_release(form, tmp_path / "release", state, config)
    convert(folder, tmp_path / "out")
    assert json.loads((tmp_path / "out" / "config.json").read_text())["layer_norm_eps"] == 9.999999747378752e-06
    report = verify(folder, tmp_path / "out", static_only=True)
    assert report.passed and report.behavior == "release"
