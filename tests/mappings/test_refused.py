"""Models near a family are recognised by any of their signs and refused with a sentence; no family's own model is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from converter.common.errors import Paddle2TorchError
from converter.locate.locate import kind_of
from converter.open.source import open_source
from converter.plan.make_plan import make_plan
from mappings import TableError, all_families
from mappings.refused import build_refused, load_refused, refused_by
from mappings.tensors.expand import first_names
from tests.support.checkpoints import make_state, write_folder


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"model_type": "ernie_doc"}, "this is ERNIE-Doc"),
        ({"model_type": "ernie-ctm", "architectures": ["ErnieCtmModel"]}, "this is ERNIE-CTM"),
        ({"model_type": "ernie", "architectures": ["UTC"]}, "this is UTC"),
        ({"model_type": "ernie", "architectures": ["ErnieEncoder"]}, "neither its config nor its tensors show which"),
        ({"model_type": "skep", "architectures": ["SkepCrfForTokenClassification"]}, "a GRU and a CRF"),
        ({"init_class": "ErnieLayoutModel"}, "reads images"),
        ({"model_type": "electra", "architectures": ["ErnieHealthForTotalPretraining"]}, "two models"),
    ],
)
def test_a_config_of_another_model_is_refused(config: dict[str, Any], said: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(Paddle2TorchError, match=f"E011.*{said}"):
        open_source(tmp_path)


@pytest.mark.parametrize(
    ("prefix", "name"),
    [
        ("ernie", "linear_q.weight"),
        ("skep", "crf.transitions"),
        ("ernie_ctm", "x"),
        ("", "embedding_hidden_mapping_in.x"),
    ],
)
def test_a_tensor_of_another_model_refuses_the_file(prefix: str, name: str, tmp_path: Path) -> None:
    words = f"{prefix}.embeddings.word_embeddings.weight".lstrip(".")
    save_file({words: np.zeros((4, 4), "f4"), name: np.zeros(4, "f4")}, tmp_path / "model.safetensors")
    with pytest.raises(Paddle2TorchError, match="E116.*it is not converted"):
        make_plan(open_source(tmp_path))


@pytest.mark.parametrize("name", ["crf.transitions", "linear_q.weight", "visual.x"])
def test_a_network_around_the_family_s_own_model_is_none_of_the_refused(name: str, tmp_path: Path) -> None:
    architecture = "ErnieMForSequenceClassification"
    state = {**make_state(architecture), name: np.zeros(4, "f4")}
    source = write_folder(tmp_path / "source", state, architecture=architecture)
    assert any(name in warning for warning in make_plan(open_source(source)).warnings)


def test_a_sign_that_another_model_has_too_is_none_with_what_the_refused_never_has() -> None:
    """ERNIE-Gen's names are those of ERNIE's dygraph release, without a pooling layer."""
    names = ["word_emb.weight", "mlm_ln.weight", "mlm_bias"]
    found = refused_by("tensors", names)
    assert found is not None and found[0].title == "ERNIE-Gen"
    assert refused_by("tensors", [*names, "pooler.weight"]) is None


def test_the_tokenizer_of_another_model_refuses_the_folder(tmp_path: Path) -> None:
    (tmp_path / "dict.wordseg.pickle").write_bytes(b"")
    with pytest.raises(Paddle2TorchError, match="E011.*dict.wordseg.pickle.*as no tokenizer.json can"):
        open_source(tmp_path)


@pytest.mark.parametrize("name", ["utc-base", "ernie-tiny", "rocketqav2-en-marco-cross-encoder", "uie-x-base"])
def test_a_built_in_name_of_another_model_is_refused(name: str) -> None:
    with pytest.raises(Paddle2TorchError, match=f"E011.*{name}: this is "):
        kind_of(name)


def test_no_sign_fits_a_family_s_own_model() -> None:
    for family in all_families():
        assert refused_by("model_types", [family.model_type]) is None
        assert refused_by("classes", [entry.source for entry in family.classes]) is None
        assert refused_by("names", [model.name for model in family.pretrained]) is None
        for table in family.tables.values():
            for scheme in table.schemes:
                assert refused_by("tensors", first_names(table, scheme)) is None


@pytest.mark.parametrize("row", [{"names": []}, {"names": ["*"]}, {}])
def test_a_row_without_a_sign_is_refused(row: dict[str, Any]) -> None:
    assert load_refused()
    with pytest.raises(TableError, match="no sign, or one that fits everything"):
        build_refused({"model": [{"title": "x", "why": "", "advice": "", **row}]})
