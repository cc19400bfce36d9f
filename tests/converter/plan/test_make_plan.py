"""The plan finds everything that is wrong with a set of tensors, all at once, and states what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converter.common.errors import PlanError
from converter.open.options import SourceOptions
from converter.open.source import open_source
from converter.plan.make_plan import make_plan
from converter.plan.plan import Plan
from tests.support.checkpoints import SIZES, make_config, make_state, write_folder
from tests.support.classes import SOURCE_CLASSES


def plan(folder: Path, state: dict[str, Any] | None = None, config: Any = None, **options: Any) -> Plan:
    return make_plan(open_source(write_folder(folder, state, config, **options)))


def problems(folder: Path, state: dict[str, Any], config: Any = None, **options: Any) -> list[str]:
    with pytest.raises(PlanError) as caught:
        plan(folder, state, config, **options)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("architecture", SOURCE_CLASSES)
def test_a_whole_checkpoint_of_each_class_plans_clean(tmp_path: Path, architecture: str) -> None:
    made = plan(tmp_path, architecture=architecture)
    state = make_state(architecture)
    assert {tensor.source.name for tensor in made.tensors} | {drop.name for drop in made.dropped} == set(state)
    assert len({tensor.target for tensor in made.tensors}) == len(made.tensors)


def test_the_old_prefix_of_information_extraction_is_told_by_its_word_embedding(tmp_path: Path) -> None:
    made = plan(tmp_path, make_state("UIEM", scheme=1), architecture="UIEM")
    assert made.scheme.prefix == "encoder."
    assert made.tensors[0].target == "ernie_m.embeddings.word_embeddings.weight"


def test_missing_tensors_are_all_named_with_their_layers_folded(tmp_path: Path) -> None:
    state = make_state(num_hidden_layers=4)
    for layer in (0, 1, 3):
        del state[f"encoder.layers.{layer}.norm1.bias"]
    del state["embeddings.layer_norm.weight"]
    found = problems(tmp_path, state, make_config(num_hidden_layers=4))
    assert found == [
        "error[E101]: missing: embeddings.layer_norm.weight, encoder.layers.{0-1,3}.norm1.bias (4 tensors). "
        "config.json specifies ErnieMModel; is the checkpoint complete?"
    ]


def test_a_layer_too_many_is_an_error_and_not_a_stranger(tmp_path: Path) -> None:
    found = problems(tmp_path, make_state(num_hidden_layers=3))
    assert len(found) == 1 and found[0].startswith("error[E102]: encoder.layers.2.self_attn.q_proj.weight")
    assert "Which of the two is right?" in found[0]


def test_a_transposed_matrix_is_recognised(tmp_path: Path) -> None:
    state = make_state()
    state["encoder.layers.1.linear1.weight"] = state["encoder.layers.1.linear1.weight"].T.copy()
    assert problems(tmp_path, state) == [
        "error[E201]: encoder.layers.1.linear1.weight is [32, 8], expected [8, 32]. "
        "Already in PyTorch layout? Convert the file that Paddle wrote"
    ]


def test_integer_weights_are_refused(tmp_path: Path) -> None:
    state = make_state()
    state["pooler.dense.bias"] = np.arange(8)
    assert problems(tmp_path, state)[0].startswith("error[E202]: pooler.dense.bias: stored as int64")


def test_problems_of_every_kind_come_together(tmp_path: Path) -> None:
    state = make_state(num_hidden_layers=3)
    del state["pooler.dense.bias"]
    state["embeddings.layer_norm.bias"] = np.zeros(9, "<f4")
    state["linear_start.weight"] = np.zeros((8, 1), "<f4")
    codes = [text[6:10] for text in problems(tmp_path, state)]
    assert codes == ["E101", "E102", "E104", "E201"]


def test_another_classes_checkpoint_is_told_by_its_names(tmp_path: Path) -> None:
    found = problems(tmp_path, make_state("UIEM"), make_config("ErnieMForSequenceClassification"))
    assert any("names of UIEM, not of ErnieMForSequenceClassification" in text for text in found)
    base = problems(tmp_path / "base", make_state("UIEM"), make_config("ErnieMModel"))
    assert "is it another class than ErnieMModel?" in base[0]


def test_two_name_schemes_in_one_checkpoint_are_an_error(tmp_path: Path) -> None:
    state = {**make_state("UIEM"), **make_state("UIEM", scheme=1)}
    assert problems(tmp_path, state, make_config("UIEM"))[0].startswith("error[E103]: two name schemes")


def test_one_tensor_of_the_other_scheme_is_an_error_too(tmp_path: Path) -> None:
    state = {**make_state("UIEM"), "encoder.pooler.dense.bias": np.zeros(8, "<f4")}
    assert problems(tmp_path, state, make_config("UIEM"))[0].startswith("error[E104]: encoder.pooler.dense.bias")


def test_a_stranger_is_left_out_with_a_warning(tmp_path: Path) -> None:
    made = plan(tmp_path, {**make_state(), "ema.decay": np.zeros(3, "<f4")})
    assert [(drop.name, drop.known) for drop in made.dropped] == [("ema.decay", False)]
    assert made.warnings == ("not converted, for no table knows them: ema.decay",)


def test_a_sizes_lie_in_the_config_is_found(tmp_path: Path) -> None:
    found = problems(tmp_path, make_state(), make_config(vocab_size=31, max_position_embeddings=9))
    hint = "Is the config another model's? --config FILE names the right one"
    assert found == [
        "error[E201]: embeddings.word_embeddings.weight is [30, 8], expected [31, 8]. " + hint,
        "error[E201]: embeddings.position_embeddings.weight is [10, 8], expected [9, 8]. " + hint,
    ]


def test_the_feed_forward_is_four_times_as_wide_whatever_the_config_says(tmp_path: Path) -> None:
    assert plan(tmp_path).sizes.fields["intermediate_size"] == 32


def test_sizes_come_from_the_tensors_where_there_is_no_config(tmp_path: Path) -> None:
    write_folder(tmp_path, config={})
    with pytest.raises(PlanError, match="Give --config FILE, or --architecture"):
        make_plan(open_source(tmp_path))
    with pytest.raises(PlanError, match="Give --num-attention-heads"):
        make_plan(open_source(tmp_path, SourceOptions(architecture="ErnieMModel")))
    made = make_plan(open_source(tmp_path, SourceOptions(architecture="ErnieMModel", num_attention_heads=2)))
    assert {name: made.sizes.by_field()[name] for name in SIZES} == SIZES


def test_heads_that_do_not_divide_are_an_error_wherever_they_come_from(tmp_path: Path) -> None:
    write_folder(tmp_path, config={})
    with pytest.raises(PlanError, match="E015"):
        make_plan(open_source(tmp_path, SourceOptions(architecture="ErnieMModel", num_attention_heads=3)))


def test_a_config_without_labels_means_two(tmp_path: Path) -> None:
    name = "ErnieMForSequenceClassification"
    found = problems(tmp_path, make_state(name), make_config(name, id2label=..., label2id=...))
    assert found[0].startswith("error[E201]: classifier.weight is [8, 3], expected [8, 2].")


def test_mixed_dtypes_are_warned_of(tmp_path: Path) -> None:
    state = make_state()
    state["pooler.dense.bias"] = state["pooler.dense.bias"].astype("<f2")
    made = plan(tmp_path, state)
    assert "different dtypes (float16, float32)" in made.warnings[0]
    assert {tensor.dtype for tensor in make_plan(open_source(tmp_path), "bfloat16").tensors} == {"bfloat16"}


@pytest.mark.parametrize(("architecture", "prefix"), [("ErnieMModel", ""), ("UIEM", "ernie_m.")])
def test_a_missing_pooler_is_warned_of_where_the_class_can_do_without(
    tmp_path: Path, architecture: str, prefix: str
) -> None:
    state = make_state(architecture)
    del state[f"{prefix}pooler.dense.weight"]
    assert "E101" in problems(tmp_path / "half", state, architecture=architecture)[0]
    del state[f"{prefix}pooler.dense.bias"]
    made = plan(tmp_path / "none", state, architecture=architecture)
    assert not made.has_pooler
    assert made.warnings[0].startswith(f"missing: {prefix}pooler.dense.weight, {prefix}pooler.dense.bias (2 tensors)")


@pytest.mark.parametrize("architecture", ["ErnieMForSequenceClassification", "ErnieMForMultipleChoice"])
def test_a_missing_pooler_is_an_error_where_the_outputs_need_it(tmp_path: Path, architecture: str) -> None:
    state = make_state(architecture)
    del state["ernie_m.pooler.dense.weight"], state["ernie_m.pooler.dense.bias"]
    assert "E101" in problems(tmp_path, state, architecture=architecture)[0]


def test_layer_numbers_with_leading_zeros_are_named_as_they_are(tmp_path: Path) -> None:
    state = make_state()
    state["encoder.layers.01.norm1.bias"] = state.pop("encoder.layers.1.norm1.bias")
    found = problems(tmp_path, state)
    assert [text[6:10] for text in found] == ["E101", "E102"]
    assert "encoder.layers.1.norm1.bias" in found[0]
    assert found[1].startswith("error[E102]: encoder.layers.01.norm1.bias: layer numbers have no leading zeros")


def test_the_ports_names_in_a_paddle_file_are_another_scheme(tmp_path: Path) -> None:
    state = {**make_state(), "encoder.layers.0.self_attn.self_attn.q_proj.weight": np.zeros((8, 8), "<f4")}
    assert "another name scheme of ErnieMModel" in problems(tmp_path, state)[0]
