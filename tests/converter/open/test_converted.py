"""OUTPUT, opened: which family it goes back to, with and without a manifest, and what is no OUTPUT."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from converter import Paddle2TorchError, convert
from converter.common.layout import MANIFEST
from converter.open.converted import open_converted
from tests.support.checkpoints import make_config, write_folder

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def run(architecture: str, *, manifest: bool = True, **changes: Any) -> Path:
        source = write_folder(tmp_path / "source", architecture=architecture, config=make_config(architecture))
        convert(source, tmp_path / "out")
        if not manifest:
            (tmp_path / "out" / MANIFEST).unlink()
        path = tmp_path / "out" / "config.json"
        config = {**json.loads(path.read_text()), **changes}
        path.write_text(json.dumps({name: value for name, value in config.items() if value is not ...}))
        return tmp_path / "out"

    return run


@pytest.mark.parametrize(
    ("architecture", "family"),
    [
        ("ErnieMForTokenClassification", "ernie_m"),
        ("UIE", "ernie"),
        ("ErnieGramModel", "ernie_gram"),
        ("SkepForSequenceClassification", "skep"),
        ("ElectraForMaskedLM", "ernie_health"),
    ],
)
def test_the_manifest_names_the_class(architecture: str, family: str, make: Make) -> None:
    architecture = architecture.replace("ElectraForMaskedLM", "ElectraGenerator")
    opened = open_converted(make(architecture))
    assert (opened.family.name, opened.entry.source) == (family, architecture)
    assert opened.source.config.architecture == architecture


@pytest.mark.parametrize("architecture", ["ErnieMModel", "UIE", "ErnieForMaskedLM", "ErnieModel", "ElectraModel"])
def test_without_a_manifest_the_config_shows_it(architecture: str, make: Make) -> None:
    assert open_converted(make(architecture, manifest=False)).entry.source == architecture


def test_without_a_manifest_two_families_may_have_the_same_class_and_epsilon(make: Make) -> None:
    folder = make("SkepModel", manifest=False)
    with pytest.raises(Paddle2TorchError, match=r"E043.*ernie_gram \(ErnieGramModel\), skep \(SkepModel\). --family"):
        open_converted(folder)
    assert open_converted(folder, "skep").entry.source == "SkepModel"
    assert open_converted(folder, "ernie_gram").entry.source == "ErnieGramModel"
    with pytest.raises(Paddle2TorchError, match="E091.*expected one of ernie, ernie_gram, skep"):
        open_converted(folder, "ernie_m")


def test_a_family_without_the_class_is_refused(make: Make) -> None:
    with pytest.raises(Paddle2TorchError, match="E012.*ErnieForMaskedLM"):
        open_converted(make("ErnieForMaskedLM"), "skep")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"model_type": "bert"}, "E011"),
        ({"architectures": ["ErnieMForCausalLM"]}, "E012"),
        ({"architectures": ["A", "B"]}, "E012"),
        ({"hidden_act": "gelu_new"}, "E014"),
    ],
)
def test_a_config_that_no_class_has(changes: dict[str, Any], code: str, make: Make) -> None:
    with pytest.raises(Paddle2TorchError, match=code):
        open_converted(make("ErnieMModel", **changes))


def test_what_is_no_folder_of_transformers(tmp_path: Path, make: Make) -> None:
    with pytest.raises(Paddle2TorchError, match="E042.*no such folder"):
        open_converted(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(Paddle2TorchError, match=r"E042.*no config.json"):
        open_converted(tmp_path / "empty")
    make("ErnieMModel")
    with pytest.raises(Paddle2TorchError, match="E042.*PaddleNLP's names"):
        open_converted(tmp_path / "source")


def test_a_damaged_manifest_is_as_if_there_were_none(make: Make) -> None:
    folder = make("ErnieMModel")
    (folder / MANIFEST).write_text("{")
    assert open_converted(folder).manifest == {}


def test_fields_that_convert_and_save_pretrained_write_are_not_warned_of(make: Make) -> None:
    written = {"transformers_version": "5.23.0", "add_pooling_layer": True, "act_dropout": 0.0}
    opened = open_converted(make("ErnieMModel", **written))
    assert opened.source.warnings == ("no tokenizer (vocab.txt) in OUTPUT: FOLDER has none",)


def test_a_field_that_nothing_knows_is_warned_of(make: Make) -> None:
    warnings = open_converted(make("ErnieMModel", surprise=1)).source.warnings
    assert any("surprise (1)" in text for text in warnings)
