"""A tensor inside a module of the class is never dropped unless that was asked for; one next to the modules is."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converter import Paddle2TorchError, convert, inspect
from converter.common.errors import PlanError
from converter.files.tensors import SourceTensor
from converter.open.options import SourceOptions
from converter.open.source import Source, open_source
from converter.plan.inner_tensors import left_inside_paragraph
from converter.plan.make_plan import make_plan
from mappings import TableError, expand, load_table
from mappings.names.inner import build_inner, load_inner
from mappings.toml_files import read_toml
from tests.support.checkpoints import SIZES, full_sizes, make_config, make_state, write_folder
from tests.support.classes import SOURCE_CLASSES
from tests.support.streams import automatic, official, write_combined, write_variables

HEADED = "ErnieMForSequenceClassification"
#: Every naming scheme of every class.
SCHEMES = [(name, place) for name in SOURCE_CLASSES for place in range(len(load_table(name).schemes))]
LORA = "ernie_m.encoder.layers.1.self_attn.q_proj.lora_A"


def open_made(folder: Path, architecture: str = HEADED, scheme: int = 0) -> Source:
    """A whole checkpoint under the names of one scheme."""
    source = open_source(write_folder(folder, make_state(architecture, scheme), make_config(architecture)))
    identity = load_table(architecture).schemes[scheme].identity
    return replace(source, tensors=replace(source.tensors, naming="transformers" if identity else "structured"))


def with_tensors(source: Source, *names: str, dtype: str = "float32") -> Source:
    more = {name: SourceTensor(name, (3,), dtype, "model_state.pdparams", ()) for name in names}
    return replace(source, tensors=replace(source.tensors, tensors={**source.tensors.tensors, **more}))


def refusal(source: Source) -> list[tuple[str, str]]:
    """Code and text of each problem of a plan; none where there is a plan."""
    try:
        make_plan(source)
    except PlanError as error:
        return [(problem.code, problem.text) for problem in error.problems]
    return []


def modules_of(architecture: str, scheme: int) -> list[str]:
    """The module of every tensor of a class, and every module that holds modules, but the class itself."""
    table = load_table(architecture)
    names = [entry.source.split(".") for entry in expand(table, table.schemes[scheme], full_sizes(SIZES))]
    return sorted({".".join(parts[:count]) for parts in names for count in range(1, len(parts))})


@pytest.mark.parametrize(("architecture", "scheme"), SCHEMES)
def test_one_unknown_tensor_in_any_module_of_any_class_is_refused(
    tmp_path: Path, architecture: str, scheme: int
) -> None:
    source = open_made(tmp_path, architecture, scheme)
    modules = modules_of(architecture, scheme)
    assert refusal(source) == [] and len(modules) > 20
    for module in modules:
        for name in (f"{module}.lora_A", f"{module}.more", f"{module}.more.weight"):
            problems = refusal(with_tensors(source, name))
            assert [code for code, _ in problems] == ["E110"], name
            assert problems[0][1].startswith(f"{name}: ") and f"inside modules of {architecture}" in problems[0][1]


@pytest.mark.parametrize(("architecture", "scheme"), SCHEMES)
def test_a_tensor_next_to_the_modules_stays_a_warning(tmp_path: Path, architecture: str, scheme: int) -> None:
    names = (
        *("my_head.weight", "my_head.bias", "intent_hidden.weight", "ema.decay", "my_head.lora_A", "scale", "epoch"),
        *("teacher.ernie_m.encoder.layers.0.linear1.weight", "my_net.classifier.linear.weight", "encoders.weight"),
    )
    made = make_plan(with_tensors(open_made(tmp_path, architecture, scheme), *names))
    assert {drop.name for drop in made.dropped if not drop.known} == set(names)
    warnings = [text for text in made.warnings if "no table knows them" in text]
    assert len(warnings) == 1 and all(name in warnings[0] for name in names) and made.left_inside == ()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("self_attn.q_proj.lora_A", "LoRA adapters"),
        ("self_attn.q_proj.lora_B.default.weight", "LoRA adapters"),
        ("self_attn.q_proj.loras.task.lora_A", "LoRA adapters"),
        ("self_attn.q_proj.lora_magnitude_vector", "DoRA magnitudes"),
        ("self_attn.q_proj.lora_magnitude", "DoRA magnitudes"),
        ("linear1.vera_lambda_b.default", "adapters of the LoRA family"),
        ("linear1.ia3_l.default", "IA3 scales"),
        ("self_attn.prefix_encoder.weight", "prefix tuning or soft prompts"),
        ("adapter.down.weight", "adapter layers"),
        ("self_attn.q_proj.weight_quanter._scale", "quantisation scales"),
        ("self_attn.q_proj.activation_quanter._accum", "quantisation scales"),
        ("self_attn.q_proj._act_preprocess.alpha", "quantisation scales"),
        ("self_attn.q_proj.weight_scale", "quantisation scales"),
        ("linear1.zero_point", "quantisation scales"),
        ("linear1.weight_g", "a weight in parts"),
        ("linear1.parametrizations.weight.original0", "a weight in parts"),
        ("norm1.weight_orig", "a weight in parts"),
        ("self_attn.q_proj.base_layer.weight", "a wrapped layer"),
        ("self_attn.q_proj.linear.weight", "a wrapped layer"),
        ("relative_bias.table", "of no known kind"),
    ],
)
def test_the_kind_is_named_where_the_name_says_it(tmp_path: Path, name: str, kind: str) -> None:
    ((code, text),) = refusal(with_tensors(open_made(tmp_path), f"ernie_m.encoder.layers.1.{name}"))
    assert code == "E110" and text.startswith(f"ernie_m.encoder.layers.1.{name}: {kind}")
    row = next(row for row in (*load_inner().kinds, load_inner().other) if row.name.startswith(kind))
    assert row.doubt in text and row.advice in text and text.endswith("--allow-unknown-tensors leaves them out")


def test_a_bias_that_the_class_does_not_have_is_named(tmp_path: Path) -> None:
    source = open_made(tmp_path)
    ((_, text),) = refusal(with_tensors(source, "ernie_m.embeddings.word_embeddings.bias"))
    assert "word_embeddings.bias: a bias that the class does not have" in text
    ((_, text),) = refusal(with_tensors(source, "ernie_m.encoder.layers.1.more.bias"))
    assert "a bias that" not in text


def test_names_are_folded_and_every_kind_is_a_problem_of_its_own(tmp_path: Path) -> None:
    names = [f"ernie_m.encoder.layers.{n}.linear1.{part}" for n in (0, 1) for part in ("lora_A", "lora_B", "weight_g")]
    problems = refusal(with_tensors(open_made(tmp_path), *names))
    assert [text.partition(": ")[0] for _, text in problems] == [
        "ernie_m.encoder.layers.{0-1}.linear1.lora_A, ernie_m.encoder.layers.{0-1}.linear1.lora_B (4 tensors)",
        "ernie_m.encoder.layers.{0-1}.linear1.weight_g (2 tensors)",
    ]
    assert "Whether they are merged into the weights cannot be known from the file" in problems[0][1]


@pytest.mark.parametrize(
    "name",
    [
        "base_model.model.ernie_m.encoder.layers.0.self_attn.q_proj.lora_A.weight",
        "encoder.layers.0.self_attn.q_proj.lora_A",
        "encoder.layers.0.self_attn.q_proj.more",
        "embeddings.layer_norm.scale",
        "encoder.layers.0.adapter.down.weight",
        "prefix_encoder.embedding.weight",
        "prompt_embeddings.weight",
    ],
)
def test_what_belongs_to_the_class_under_another_prefix_is_refused(tmp_path: Path, name: str) -> None:
    ((code, text),) = refusal(with_tensors(open_made(tmp_path), name))
    assert code == "E110" and text.startswith(name)


def test_a_wrapped_layer_is_missing_and_inside_at_once(tmp_path: Path) -> None:
    source = open_made(tmp_path)
    lost = "ernie_m.encoder.layers.0.self_attn.q_proj.weight"
    left = {name: tensor for name, tensor in source.tensors.tensors.items() if name != lost}
    source = replace(source, tensors=replace(source.tensors, tensors=left))
    problems = refusal(with_tensors(source, lost.replace("weight", "base_layer.weight")))
    assert [code for code, _ in problems] == ["E101", "E110"] and lost in problems[0][1]


def test_where_no_scheme_fits_the_adapters_are_named_too(tmp_path: Path) -> None:
    state = {f"base_model.model.{name}": array for name, array in make_state(HEADED).items()}
    state[f"base_model.model.{LORA}.weight"] = np.zeros((8, 2), "<f4")
    with pytest.raises(PlanError) as caught:
        make_plan(open_source(write_folder(tmp_path, state, make_config(HEADED))))
    assert [problem.code for problem in caught.value.problems] == ["E115", "E110"]
    assert f"base_model.model.{LORA}.weight: LoRA adapters" in caught.value.problems[1].text


def variables(folder: Path, state: dict[str, np.ndarray]) -> Source:
    """A folder with a file per variable."""
    return open_source(write_variables(folder, state), SourceOptions(architecture=HEADED, num_attention_heads=2))


OFFICIAL = (
    *("word_embedding_scale", "pos_embedding.quantized", "pre_encoder_layer_norm_more", "cls_out_w.scale"),
    *("encoder_layer_0_multi_head_att_query_fc.w_0@scale", "encoder_layer_0_multi_head_att_query_fc.lora_A"),
    *("encoder_layer_0_adapter_fc.w_0", "encoder_layer_0_ffn_fc_0.b_1", "pooled_fc.w_1"),
)
NUMBERED = ("linear_3.w_0@scale", "linear_3.w_1", "layer_norm_0.scale_0", "embedding_0.w_0.more", "lo_ra_linear_0.w_0")


@pytest.mark.parametrize("kind", ["f4", "i4"])
@pytest.mark.parametrize("name", [*OFFICIAL, *NUMBERED])
def test_variables_of_static_graphs_lie_inside_by_what_their_names_begin_with(
    tmp_path: Path, name: str, kind: str
) -> None:
    state = official() if name in OFFICIAL else automatic(head="classifier")[0]
    source = variables(tmp_path, {**state, name: np.zeros(3, kind)})
    ((code, text),) = refusal(source)
    assert code == "E110" and text.startswith(name)


@pytest.mark.parametrize(
    "name",
    [
        *("my_head.w_0", "fc_3.w_0", "gru_0.w_0", "cls_mrc_out_more", "encoder_layers_more", "linear_more"),
        *("create_parameter_0.w_0",),
    ],
)
def test_variables_next_to_the_modules_stay_a_warning(tmp_path: Path, name: str) -> None:
    made = make_plan(variables(tmp_path, {**official(), name: np.zeros(3, "f4")}))
    assert [(drop.name, drop.known) for drop in made.dropped] == [(name, False)]


@pytest.mark.parametrize(
    "state",
    [
        *("velocity", "moment", "inf_norm", "momentum", "mean_square", "mean_grad", "slow", "moment1", "beta1_pow_acc"),
        *("_avg_squared_grad", "sum_1", "num_updates", "ema", "fp32_master_0_velocity"),
    ],
)
def test_the_state_of_every_optimizer_is_left_out_with_its_reason(tmp_path: Path, state: str) -> None:
    name = f"encoder_layer_0_ffn_fc_0.w_0_{state}_0"
    source = variables(tmp_path, {**official(), name: np.zeros(3, "f4")})
    assert dict(source.tensors.left_out)[name] in ("the optimizer's state", "an average of the training")
    assert refusal(source) == []


def test_a_combined_file_with_its_program(tmp_path: Path) -> None:
    state = {**official(), "encoder_layer_0_ffn_fc_0.w_0@scale": np.zeros(7, "f4")}
    write_combined(tmp_path, state)
    ((code, text),) = refusal(open_source(tmp_path, SourceOptions(architecture=HEADED, num_attention_heads=2)))
    assert code == "E110" and text.startswith("encoder_layer_0_ffn_fc_0.w_0@scale: quantisation scales")


@pytest.mark.parametrize(
    ("stored", "named"),
    [
        (lambda state: {**state, "ernie_m.encoder.layers.0.linear1.scaling": 0.5}, "linear1.scaling"),
        (lambda state: {**state, "lora": {LORA: np.zeros(2, "<f4")}}, f"lora.{LORA}"),
        (lambda state: {"model": state, "adapter": {LORA: np.zeros(2, "<f4")}, "epoch": 3}, f"adapter.{LORA}"),
    ],
)
def test_what_a_pickle_holds_beside_its_tensors_is_looked_at_too(tmp_path: Path, stored: Any, named: str) -> None:
    write_folder(tmp_path, config=make_config(HEADED))
    (tmp_path / "model_state.pdparams").write_bytes(pickle.dumps(stored(make_state(HEADED)), 4))
    ((code, text),) = refusal(open_source(tmp_path))
    assert code == "E110" and named in text


def test_other_things_beside_the_tensors_stay_a_warning(tmp_path: Path) -> None:
    state = make_state(HEADED)
    stored = {"model": state, "ema": dict(state), "optimizer": {"linear_0.w_0_moment1_0": np.zeros(2)}, "epoch": 3}
    write_folder(tmp_path, config=make_config(HEADED))
    (tmp_path / "model_state.pdparams").write_bytes(pickle.dumps(stored, 4))
    source = open_source(tmp_path)
    assert refusal(source) == [] and "left out: 'ema', 'optimizer', 'epoch'" in source.warnings[0]


def test_a_shard_keeps_what_it_holds_beside_its_tensors(tmp_path: Path) -> None:
    state = make_state(HEADED)
    write_folder(tmp_path, config=make_config(HEADED))
    (tmp_path / "model_state.pdparams").unlink()
    shard, inside = "model_state-00001-of-00001.pdparams", "ernie_m.encoder.layers.0.linear1.scaling"
    (tmp_path / shard).write_bytes(pickle.dumps({**state, inside: 0.5}, 4))
    index = {"metadata": {}, "weight_map": dict.fromkeys(state, shard)}
    (tmp_path / "model_state.pdparams.index.json").write_text(json.dumps(index))
    ((code, text),) = refusal(open_source(tmp_path))
    assert code == "E110" and text.startswith(inside)


def test_a_shard_that_the_index_does_not_name_is_warned_of(tmp_path: Path) -> None:
    state = make_state(HEADED)
    write_folder(tmp_path, config=make_config(HEADED))
    (tmp_path / "model_state.pdparams").unlink()
    shard, more = "model_state-00001-of-00002.pdparams", "model_state-00002-of-00002.pdparams"
    (tmp_path / shard).write_bytes(pickle.dumps(state, 4))
    (tmp_path / "model_state.pdparams.index.json").write_text(json.dumps({"weight_map": dict.fromkeys(state, shard)}))
    assert not any("not read" in text for text in open_source(tmp_path).warnings)
    (tmp_path / more).write_bytes(pickle.dumps({"more.weight": np.zeros(2)}, 4))
    assert f"{more}: not read, for model_state.pdparams.index.json does not name it" in str(
        open_source(tmp_path).warnings
    )


# The option.


@pytest.fixture
def adapted(tmp_path: Path) -> Path:
    state = {**make_state(HEADED), LORA: np.zeros((8, 2), "<f4"), "my_head.weight": np.zeros(3, "<f4")}
    return write_folder(tmp_path / "in", state, make_config(HEADED))


def test_without_the_option_nothing_is_written(adapted: Path, tmp_path: Path) -> None:
    with pytest.raises(Paddle2TorchError, match="E110"):
        convert(adapted, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_option_leaves_them_out_and_records_it(adapted: Path, tmp_path: Path) -> None:
    made = convert(adapted, tmp_path / "out", allow_unknown_tensors=True)
    assert made.left_inside == ((LORA, "LoRA adapters"),)
    assert any(text.startswith("left out on request") and LORA in text for text in made.warnings)
    assert "not converted, for no table knows them: my_head.weight" in made.warnings
    manifest = json.loads((tmp_path / "out" / "paddle2torch.json").read_text())
    assert manifest["left_inside"] == [{"source": LORA, "kind": "LoRA adapters"}]
    assert {row["source"]: row["reason"] for row in manifest["dropped"]} == {
        "my_head.weight": "no row of any table knows this name",
        LORA: "inside a module of the class (LoRA adapters)",
    }
    card = (tmp_path / "out" / "README.md").read_text()
    assert "**Not the whole checkpoint.** Left out on request (`--allow-unknown-tensors`): 1 tensor inside" in card
    assert LORA in card and "my_head" not in card


def test_the_option_changes_nothing_for_a_checkpoint_without_such_tensors(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "in", make_state(HEADED), make_config(HEADED))
    convert(source, tmp_path / "plain")
    assert convert(source, tmp_path / "allowed", allow_unknown_tensors=True).left_inside == ()
    for path in (tmp_path / "plain").iterdir():
        assert path.read_bytes() == (tmp_path / "allowed" / path.name).read_bytes()


def test_the_option_excuses_nothing_else(tmp_path: Path) -> None:
    source = with_tensors(open_made(tmp_path), LORA, "ernie_m.encoder.layers.7.linear1.weight")
    with pytest.raises(PlanError) as caught:
        make_plan(source, allow_unknown_tensors=True)
    assert [problem.code for problem in caught.value.problems] == ["E102"]


def test_inspect_shows_the_problem_and_everything_else(adapted: Path) -> None:
    found = inspect(adapted)
    assert len(found.problems) == 1 and found.problems[0].startswith(f"error[E110]: {adapted}: {LORA}")
    assert found.target_class == HEADED and found.sizes["hidden_size"] == SIZES["hidden_size"]
    assert (LORA, "inside a module of the class (LoRA adapters)") in found.dropped
    assert not any("on request" in text for text in found.warnings)


def test_a_name_cannot_break_out_of_the_card() -> None:
    record = {"left_inside": [{"source": "a`\n# b <script>", "kind": "x"}, 7, {"source": 3}]}
    text = left_inside_paragraph(record)
    assert "`a# b script`" in text and "1 tensor" in text
    assert [left_inside_paragraph(odd) for odd in ({"left_inside": 5}, {}, None)] == ["", "", ""]


def test_rows_without_forms_or_text_are_refused() -> None:
    data = read_toml("shared", "inner.toml")
    assert build_inner(data) == load_inner()
    row = {"name": "x", "doubt": "y", "advice": "z"}
    forms = ({"parts": []}, {"parts": ["*"]}, {"parts": ["Lora"]}, {"parts": ["a"], "advice": ""})
    for wrong in ({**row, **changes} for changes in forms):
        with pytest.raises(TableError):
            build_inner({**data, "kind": [wrong]})
