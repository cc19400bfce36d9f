"""The plan of the way back: every problem at once, and what PaddleNLP's class does not have, by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from converter import Paddle2TorchError, convert, to_paddle
from converter.common.layout import MANIFEST
from tests.support.checkpoints import make_config, make_state, write_folder

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """OUTPUT of a class; `config` and `tensors` change it."""

    def run(
        architecture: str = "ErnieMModel",
        config: dict[str, Any] | None = None,
        tensors: Callable[[dict[str, np.ndarray]], None] | None = None,
    ) -> Path:
        state = {name: value for name, value in make_state(architecture).items() if "decoder_weight" not in name}
        state.pop("cls.predictions.layer_norm.scale", None)
        convert(write_folder(tmp_path / "source", state, make_config(architecture)), tmp_path / "out")
        path = tmp_path / "out" / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **(config or {})}))
        if tensors is not None:
            found = load_file(tmp_path / "out" / "model.safetensors")
            tensors(found)
            save_file(found, tmp_path / "out" / "model.safetensors", {"format": "pt"})
        return tmp_path / "out"

    return run


def run(output: Path) -> tuple[str, ...]:
    return to_paddle(output, output.parent / "back", dry_run=True).warnings


def problems(output: Path) -> str:
    with pytest.raises(Paddle2TorchError) as caught:
        run(output)
    return str(caught.value)


def test_every_problem_is_reported_at_once(make: Make) -> None:
    def damage(found: dict[str, np.ndarray]) -> None:
        del found["encoder.layers.1.norm1.bias"]
        found["encoder.layers.0.linear1.weight"] = np.zeros((8, 32), "f4")
        found["pooler.dense.weight"] = np.zeros((8, 8), "i4")
        found["encoder.layers.0.linear1.lora_A.weight"] = np.zeros((2, 8), "f4")

    text = problems(make(config={"position_offset": 0}, tensors=damage))
    for expected in (
        "config.json: position_offset is 0, PaddleNLP's class has 2",
        "E101]: missing: encoder.layers.1.norm1.bias",
        "E201]: encoder.layers.0.linear1.weight is [8, 32], expected [32, 8]",
        "E202]: pooler.dense.weight: stored as int32",
        "encoder.layers.0.linear1.lora_A.weight: LoRA adapters",
    ):
        assert expected in text


def test_a_tensor_next_to_the_class_is_left_out_with_a_warning(make: Make) -> None:
    output = make(tensors=lambda found: found.update({"my_head.weight": np.zeros((2, 8), "f4")}))
    assert any("my_head.weight" in text for text in run(output))


def test_a_width_that_paddlenlp_cannot_build(make: Make) -> None:
    def wider(found: dict[str, np.ndarray]) -> None:
        for layer in range(2):
            found[f"encoder.layers.{layer}.linear1.weight"] = np.zeros((40, 8), "f4")
            found[f"encoder.layers.{layer}.linear1.bias"] = np.zeros(40, "f4")
            found[f"encoder.layers.{layer}.linear2.weight"] = np.zeros((8, 40), "f4")

    text = problems(make(config={"intermediate_size": 40}, tensors=wider))
    assert "E044]: intermediate_size is 40, and ErnieMModel is built with 32 always" in text


@pytest.mark.parametrize(
    ("architecture", "config", "expected"),
    [
        ("ErnieMModel", {"implicit_mask_token_ids": [1]}, "implicit_mask_token_ids is [1], PaddleNLP's class has [0]"),
        ("ErnieMModel", {"attention_mask_value": None}, "attention_mask_value is None, PaddleNLP's class has -10000.0"),
        ("ErnieMModel", {"layer_norm_eps": 1e-12}, "layer_norm_eps is 1e-12, PaddleNLP's class has 9.99"),
        ("ErnieModel", {"layer_norm_eps": 1e-5}, "layer_norm_eps is 1e-05, PaddleNLP's class has 1e-12"),
        ("ErnieGramModel", {"layer_norm_eps": 1e-12}, "layer_norm_eps is 1e-12, PaddleNLP's class has 9.99"),
        (
            "ErnieMModel",
            {"act_dropout": 0.1},
            "act_dropout is 0.1; PaddleNLP's class has no such field, and 0.0 always",
        ),
        ("ErnieForMaskedLM", {"tie_word_embeddings": False}, "tie_word_embeddings is False"),
    ],
)
def test_a_rule_that_paddlenlp_does_not_have_is_warned_of(
    architecture: str, config: dict[str, Any], expected: str, make: Make
) -> None:
    output = make(architecture)
    assert not any(expected in text for text in run(output))
    path = output / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **config}))
    assert any(expected in text for text in run(output))


def test_the_epsilon_of_a_family_whose_config_is_obeyed_comes_back(make: Make) -> None:
    output = make("ElectraModel", config={"layer_norm_eps": 1e-7})
    assert not any("layer_norm_eps" in text for text in run(output))
    to_paddle(output, output.parent / "back")
    assert json.loads((output.parent / "back" / "config.json").read_text())["layer_norm_eps"] == 1e-7


def test_a_folder_of_the_class_that_transformers_4_has(make: Make) -> None:
    fields = ("auto_map", "position_offset", "attention_mask_value", "implicit_mask_token_ids")
    output = make()
    path = output / "config.json"
    path.write_text(json.dumps({k: v for k, v in json.loads(path.read_text()).items() if k not in fields}))
    assert any("without a mask [PAD] is masked" in text for text in run(output))


def test_a_row_that_paddle_reads_as_zeros(make: Make) -> None:
    text = "embeddings.word_embeddings.weight: row 0, that of [PAD], is not zero"
    output = make("ErnieModel")
    assert any(text in warning for warning in run(output))
    found = load_file(output / "model.safetensors")
    found["embeddings.word_embeddings.weight"][0] = 0
    save_file(found, output / "model.safetensors", {"format": "pt"})
    assert not any(text in warning for warning in run(output))


def test_families_whose_lookup_has_no_such_row_are_not_warned_of(make: Make) -> None:
    assert not any("is not zero" in text for text in run(make("ElectraModel")))


def test_untied_copies_are_refused(make: Make) -> None:
    def untie(found: dict[str, np.ndarray]) -> None:
        found["cls.predictions.decoder.weight"] = found["ernie.embeddings.word_embeddings.weight"] + 1

    assert "E306" in problems(make("ErnieForMaskedLM", tensors=untie))


def test_a_copy_alone_is_taken(make: Make) -> None:
    def rename(found: dict[str, np.ndarray]) -> None:
        found["cls.predictions.decoder.bias"] = found.pop("cls.predictions.bias")

    output = make("ErnieForMaskedLM", tensors=rename)
    assert "cls.predictions.decoder_bias" in to_paddle(output, output.parent / "back").copies


def test_parts_that_may_be_absent(make: Make) -> None:
    def without_tasks(found: dict[str, np.ndarray]) -> None:
        del found["embeddings.task_type_embeddings.weight"]

    output = make("ErnieModel", config={"use_task_id": False}, tensors=without_tasks)
    result = to_paddle(output, output.parent / "back")
    assert result.lost == () and not any("task_type" in text for text in result.warnings)
    assert json.loads((output.parent / "back" / "config.json").read_text())["use_task_id"] is False


def test_a_lost_pooling_layer_that_the_class_reads(make: Make) -> None:
    def without_pooler(found: dict[str, np.ndarray]) -> None:
        del found["pooler.dense.weight"], found["pooler.dense.bias"]

    output = make(config={"add_pooling_layer": False}, tensors=without_pooler)
    assert any("its outputs depend on them" in text for text in run(output))


def test_tensors_that_convert_left_out_are_named(make: Make) -> None:
    output = make("ErnieHealthDiscriminator")
    (output / MANIFEST).unlink()
    assert any("discriminator_csp.dense.weight" in text and "cannot come back" in text for text in run(output))


def test_a_class_that_paddlenlp_does_not_have(make: Make) -> None:
    text = problems(make("ErnieMForMaskedLM"))
    assert "E044]: PaddleNLP has no class ErnieMForMaskedLM" in text and "go back as ErnieMModel" in text
