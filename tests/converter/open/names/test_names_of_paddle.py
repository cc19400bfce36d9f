"""What Paddle writes of PaddleNLP's ERNIE classes becomes what the folder of save_pretrained becomes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from converter import inspect
from converter.open.options import SourceOptions
from converter.open.source import open_source
from converter.plan.make_plan import make_plan
from tests.conftest import checkpoint_maker
from tests.support.ernie_releases import write_config
from tests.support.planned import assert_same

#: Class -> whether the numbers of jit.save show it.
JIT = {
    **dict.fromkeys(("ErnieModel", "ErnieForMaskedLM", "ErnieForPretraining", "UIE"), True),
    **dict.fromkeys(("ErnieForSequenceClassification", "ErnieForTokenClassification"), False),
    **dict.fromkeys(("ErnieForQuestionAnswering", "ErnieForMultipleChoice"), False),
    **{"ErnieGramModel": True, "ErnieGramForSequenceClassification": False},
    **{"SkepModel": True, "SkepForTokenClassification": False},
    **dict.fromkeys(("ElectraModel", "ElectraForSequenceClassification", "ElectraGenerator"), True),
    **{"ElectraForMultipleChoice": True, "ElectraForQuestionAnswering": False, "ErnieHealthDiscriminator": True},
}
#: Those whose numbers are no other family's.
ALONE = ("ErnieModel", "ErnieForMaskedLM", "ErnieForPretraining", "UIE", "ElectraModel", "ElectraGenerator")
ALONE += ("ErnieHealthDiscriminator",)
RELEASED = {
    "ErnieModel": True,
    "ErnieForMaskedLM": True,
    "ErnieForPretraining": True,
    "ErnieForSequenceClassification": False,
    "ErnieForTokenClassification": False,
    "ErnieForQuestionAnswering": False,
}


@pytest.fixture(scope="module")
def written(paddle_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    make: Callable[..., None] = checkpoint_maker(paddle_python, "make_ernie_files.py")
    make(folder)
    return folder


@pytest.mark.parametrize("source_class", JIT)
def test_numbered_names_of_jit_save(source_class: str, written: Path) -> None:
    """The models are built one after another in one process, so only the first one's numbers start at 0."""
    folder = written / source_class
    expected = make_plan(open_source(folder / "nlp"))
    source = open_source(folder / "jit", SourceOptions(config=folder / "nlp" / "config.json"))
    assert source.tensors.naming == "automatic" and source.family is expected.family
    assert source.tensors.inferred_class == (source_class if JIT[source_class] else "")
    # UIE's pooling layer is none of the exported graph's; a masked-LM folder of the graph has none to keep.
    assert_same(make_plan(source), expected, *(["pooler"] if source_class in ("UIE", "ErnieForMaskedLM") else []))


@pytest.mark.parametrize("form", ["variables", "combined", "dygraph"])
@pytest.mark.parametrize("source_class", RELEASED)
def test_a_release_that_paddle_wrote(source_class: str, form: str, written: Path) -> None:
    folder = written / source_class
    config = json.loads((folder / "nlp" / "config.json").read_text())
    write_config(folder / form, {**config, "use_task_id": form != "dygraph"})
    known = RELEASED[source_class] or form != "dygraph"
    source = open_source(folder / form, SourceOptions(architecture=None if known else source_class))
    assert source.tensors.naming == "official" and source.config.architecture == source_class
    assert_same(make_plan(source), make_plan(open_source(folder / "nlp")), *(["task"] if form == "dygraph" else []))


@pytest.mark.parametrize("source_class", JIT)
def test_what_inspect_shows_of_jit_save(source_class: str, written: Path) -> None:
    folder = written / source_class
    shown = inspect(folder / "jit", config=folder / "nlp" / "config.json")
    assert not shown.problems and shown.source_class == source_class
    assert (shown.format, shown.sizes["num_hidden_layers"], shown.sizes["intermediate_size"]) == ("combined", 2, 12)


@pytest.mark.parametrize("source_class", JIT)
def test_what_inspect_shows_without_a_config(source_class: str, written: Path) -> None:
    """Task types, a masked-LM head, UIE's heads and a missing pooling layer are one family's alone."""
    shown = inspect(written / source_class / "jit", num_attention_heads=2)
    if source_class in ALONE:
        assert shown.source_class == source_class and not shown.problems
        assert not any("alike" in warning for warning in shown.warnings)
    elif source_class.startswith("ErnieFor"):
        assert len(shown.problems) == 1 and "E010" in shown.problems[0]
    else:
        assert any("alike, and no config says which" in warning for warning in shown.warnings)
