"""Folders of the 2021 release, from the point where a reader has translated their names: class, behavior, extras.

The bytes themselves are other tests' matter: here a reader of plain pickles says what one of static graphs would.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open

from converter import Paddle2TorchError, convert, inspect
from converter.common.errors import PlanError
from converter.open import source as source_module
from converter.open.dispatch import open_weights
from converter.open.options import SourceOptions
from converter.open.source import open_source
from converter.plan.make_plan import make_plan
from tests.converter.open.tokenizer.test_tokenizer_files import TWO_COLUMNS, write_tokenizer
from tests.support.checkpoints import SIZES, make_state, write_folder
from verify import verify

CONFIG = {
    **SIZES,
    "attention_probs_dropout_prob": 0.1,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "initializer_range": 0.02,
}
HEADS = {
    "ErnieMForSequenceClassification": True,
    "ErnieMForQuestionAnswering": False,
    "ErnieMForTokenClassification": False,
}
EXTRAS = {
    "mask_lm_trans_fc.w_0": np.arange(12, dtype="<f4").reshape(4, 3),
    "mask_lm_out_fc.b_0": np.arange(5, dtype="<f2"),
    "sent_embedding": np.arange(8, dtype="<f4").reshape(2, 4),
}


def make_release(folder: Path, architecture: str = "ErnieMModel", **state_changes: Any) -> Path:
    """A folder with ernie_config.json and what that class's program of the release saves: two heads have no pooler."""
    state = {**make_state(architecture), **state_changes}
    if not HEADS.get(architecture, True):
        state = {name: array for name, array in state.items() if ".pooler." not in name}
    write_folder(folder, state, {})
    (folder / "ernie_config.json").write_text(json.dumps(CONFIG))
    return folder


@pytest.fixture
def official(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lets `open_weights` say what a reader of official names says."""

    def say(**facts: Any) -> None:
        def opened(path: Path, families: Any) -> Any:
            found = open_weights(path, families)
            extras = {name: tensor for name, tensor in found.tensors.items() if name in EXTRAS}
            tensors = {name: tensor for name, tensor in found.tensors.items() if name not in EXTRAS}
            return replace(found, tensors=tensors, extras=extras, **{"naming": "official", **facts})

        monkeypatch.setattr(source_module, "open_weights", opened)

    return say


def test_official_names_without_a_head_are_the_model_itself(tmp_path: Path, official: Any) -> None:
    official()
    plan = make_plan(open_source(make_release(tmp_path)))
    assert (plan.table.source_class, plan.config.class_from) == ("ErnieMModel", "weights")


@pytest.mark.parametrize(("name", "has_pooler"), HEADS.items())
def test_a_head_is_told_by_its_names_and_may_have_no_pooler(
    tmp_path: Path, official: Any, name: str, has_pooler: bool
) -> None:
    official(inferred_class=name)
    result = convert(make_release(tmp_path / "in", name), tmp_path / "out")
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert (result.source_class, config["architectures"]) == (name, [name])
    assert ("add_pooling_layer" in config, result.dropped) == (False, ())
    with safe_open(tmp_path / "out" / "model.safetensors", "np") as file:
        assert any("pooler" in key for key in file.keys()) == has_pooler  # noqa: SIM118


@pytest.mark.parametrize("name", ["ErnieMForSequenceClassification", "ErnieMForTokenClassification"])
def test_labels_of_a_release_head_come_from_its_tensor_with_a_warning(tmp_path: Path, official: Any, name: str) -> None:
    official(inferred_class=name)
    result = convert(make_release(tmp_path / "in", name), tmp_path / "out")
    labels = json.loads((tmp_path / "out" / "config.json").read_text())["id2label"]
    assert labels == {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"}
    assert "no config gives label names: LABEL_0 to LABEL_2 are taken" in result.warnings


def test_a_config_that_contradicts_the_names_is_an_error_and_an_option_overrules(tmp_path: Path, official: Any) -> None:
    told = "ErnieMForTokenClassification"
    official(inferred_class=told)
    source = make_release(tmp_path, told)
    (source / "config.json").write_text(json.dumps({**CONFIG, "architectures": ["ErnieMForSequenceClassification"]}))
    with pytest.raises(PlanError) as caught:
        make_plan(open_source(source))
    assert str(caught.value.problems[0]) == (
        "error[E104]: config.json names ErnieMForSequenceClassification, the names of the tensors are those of "
        "ErnieMForTokenClassification. Which of the two is right? --architecture NAME overrules the config"
    )
    assert inspect(source).problems[0].startswith("error[E104]")
    (source / "config.json").write_text(
        json.dumps(
            {
                **CONFIG,
                "architectures": ["ErnieMForSequenceClassification"],
                "id2label": {str(i): "abc"[i] for i in range(3)},
            }
        )
    )
    assert make_plan(open_source(source, SourceOptions(architecture=told))).table.source_class == told


def behavior_of(source: Path, output: Path, **options: Any) -> tuple[str, list[int], str | None]:
    """What the manifest, config.json and tokenizer_config.json of an output say."""
    result = convert(source, output, **options)
    manifest = json.loads((output / "paddle2torch.json").read_text())
    config = json.loads((output / "config.json").read_text())
    path = output / "tokenizer_config.json"
    rule = json.loads(path.read_text())["piece_rule"] if path.is_file() else None
    card = (output / "README.md").read_text()
    assert result.behavior == manifest["behavior"] and f"the behavior `{manifest['behavior']}`" in card
    assert f"| `{config['implicit_mask_token_ids']}` |" in card
    return manifest["behavior"], config["implicit_mask_token_ids"], rule


def test_a_paddlenlp_folder_hides_cls_and_cuts_as_paddlenlp(tmp_path: Path) -> None:
    source = write_tokenizer(write_folder(tmp_path / "in"))
    assert behavior_of(source, tmp_path / "out") == ("paddlenlp", [0], "paddlenlp")
    assert inspect(source).behavior == "paddlenlp"


def test_each_sign_of_the_release_makes_it_one(tmp_path: Path, official: Any) -> None:
    config = write_tokenizer(make_release(tmp_path / "config"), TWO_COLUMNS)
    (tmp_path / "config" / "ernie_config.json").rename(tmp_path / "ernie_config.json")
    assert behavior_of(config, tmp_path / "one", architecture="ErnieMModel") == ("release", [1], "release")
    (tmp_path / "ernie_config.json").unlink()
    piece = write_tokenizer(write_folder(tmp_path / "piece"))
    (piece / "sentencepiece.bpe.model").rename(piece / "piece.model")
    assert behavior_of(piece, tmp_path / "two") == ("release", [1], "release")
    official()
    assert behavior_of(write_folder(tmp_path / "names"), tmp_path / "three") == ("release", [1], None)


def test_an_option_overrules_the_behavior_either_way_and_says_so(tmp_path: Path, official: Any) -> None:
    source = write_tokenizer(write_folder(tmp_path / "in"))
    assert behavior_of(source, tmp_path / "one", behavior="release") == ("release", [1], "release")
    said = inspect(source, behavior="release")
    assert (said.behavior, "this checkpoint's behavior is 'paddlenlp'" in said.warnings[0]) == ("release", True)
    official()
    assert behavior_of(source, tmp_path / "two", behavior="paddlenlp") == ("paddlenlp", [0], "paddlenlp")
    with pytest.raises(Paddle2TorchError, match="E091.*behavior is 'paddle', expected one of paddlenlp, .*release"):
        convert(source, tmp_path / "three", behavior="paddle")


def test_the_tokenizer_beside_the_releases_config_is_found_from_a_folder_below(tmp_path: Path) -> None:
    make_release(tmp_path / "in" / "step_1")
    (tmp_path / "in" / "step_1" / "ernie_config.json").rename(tmp_path / "in" / "ernie_config.json")
    write_tokenizer(tmp_path / "in")
    found = open_source(tmp_path / "in" / "step_1", SourceOptions(architecture="ErnieMModel"))
    assert found.tokenizer is not None and found.tokenizer.folder == (tmp_path / "in").absolute()


def test_what_is_no_weight_is_named_once_with_its_reasons(tmp_path: Path, official: Any) -> None:
    moments = tuple((f"v{number}_moment1_0", "Adam's moments") for number in range(30))
    official(left_out=(*moments, ("labels", "an input of the graph")))
    source = make_release(tmp_path)
    plan = make_plan(open_source(source))
    assert [drop.name for drop in plan.dropped] == [*(name for name, _ in moments), "labels"]
    assert plan.warnings == (
        "not converted: 31 variables (inspect lists them): Adam's moments (30), an input of the graph (1)",
    )
    assert len(inspect(source).dropped) == 31


@pytest.fixture
def with_extras(tmp_path: Path, official: Any) -> tuple[Path, Path]:
    official()
    source = make_release(tmp_path / "in", **EXTRAS)
    result = convert(source, tmp_path / "out", dtype="bfloat16")
    assert result.extras == tuple(sorted(EXTRAS)) and result.shards == ("model.safetensors",)
    assert [said for said in result.warnings if "kept as they are in release_extras.safetensors of OUTPUT" in said]
    return source, tmp_path / "out"


def test_extras_are_kept_as_they_were_in_a_file_of_their_own(with_extras: tuple[Path, Path]) -> None:
    _, output = with_extras
    with safe_open(output / "release_extras.safetensors", "np") as file:
        assert (set(file.keys()), file.metadata()) == (set(EXTRAS), {"format": "np"})
        for name, array in EXTRAS.items():
            np.testing.assert_array_equal(file.get_tensor(name), array, strict=True)
    rows = json.loads((output / "paddle2torch.json").read_text())["extras"]
    assert {row["target"]: row["dtype"] for row in rows} == {
        "mask_lm_trans_fc.w_0": "float32",
        "mask_lm_out_fc.b_0": "float16",
        "sent_embedding": "float32",
    }
    assert "`release_extras.safetensors` holds 3 weights" in (output / "README.md").read_text()


def problems_of_verify(source: Path, output: Path) -> str:
    report = verify(source, output, static_only=True)
    assert report.passed == (not report.problems) and report.behavior == "release"
    return "\n".join(map(str, report.problems))


def test_extras_are_verified_like_the_rest(with_extras: tuple[Path, Path]) -> None:
    source, output = with_extras
    assert problems_of_verify(source, output) == ""
    path = output / "release_extras.safetensors"
    whole = path.read_bytes()
    damaged = bytearray(whole)
    damaged[-1] ^= 1
    path.write_bytes(damaged)
    assert "mask_lm_out_fc.b_0: 1 of 5 elements differ" in problems_of_verify(source, output)
    path.unlink()
    assert "E404]: mask_lm_out_fc.b_0: not in release_extras.safetensors" in problems_of_verify(source, output)


def test_extras_that_the_source_does_not_have_are_found(with_extras: tuple[Path, Path], tmp_path: Path) -> None:
    _, output = with_extras
    bare = make_release(tmp_path / "bare")
    assert "E404]: sent_embedding: no source tensor becomes this" in problems_of_verify(bare, output)


@pytest.mark.parametrize(
    ("file", "field", "value"),
    [
        ("config.json", "implicit_mask_token_ids", [0]),
        ("config.json", "attention_mask_value", None),
        ("tokenizer_config.json", "piece_rule", "paddlenlp"),
    ],
)
def test_the_fields_of_the_behavior_are_verified(
    tmp_path: Path, official: Any, file: str, field: str, value: Any
) -> None:
    official()
    source = write_tokenizer(make_release(tmp_path / "in"), TWO_COLUMNS)
    convert(source, tmp_path / "out")
    assert problems_of_verify(source, tmp_path / "out") == ""
    path = tmp_path / "out" / file
    path.write_text(json.dumps({**json.loads(path.read_text()), field: value}))
    assert f"E408]: {file}: {field} is {value!r}" in problems_of_verify(source, tmp_path / "out")


def test_another_behavior_than_the_sources_is_told_by_verify(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "in")
    convert(source, tmp_path / "out", behavior="release")
    report = verify(source, tmp_path / "out", static_only=True)
    assert report.passed and report.to_json()["behavior"] == "release"
    assert "SOURCE's own is 'paddlenlp'" in report.warnings[-1]
    path = tmp_path / "out" / "paddle2torch.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "behavior": "mine"}))
    report = verify(source, tmp_path / "out", static_only=True)
    assert "its behavior is 'mine'" in str(report.problems[0])
