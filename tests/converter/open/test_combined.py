"""Combined files: which stream is which tensor is told by names that lie elsewhere, in text order, or is refused."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converter.errors import FileError, SourceError
from converter.open.weights import open_weights
from tests.converter.open.pickles import numbered, same, touch
from tests.converter.open.streams import (
    automatic,
    combined,
    fill,
    info,
    key_of,
    official,
    official_shapes,
    pir,
    program_desc,
    stream,
    under_keys,
    write_combined,
)

HEADS = {
    "": "ErnieMModel",
    "cls_out": "ErnieMForSequenceClassification",
    "cls_mrc_out": "ErnieMForQuestionAnswering",
    "cls_seq_label_out": "ErnieMForTokenClassification",
}
PLACES = [
    ("inference.json", "inference.pdiparams"),
    ("inference.pdmodel", "inference.pdiparams"),
    ("__model__", "__params__"),
    ("__model__", "params"),
    ("__model__.json", "params"),
    ("model", "params"),
    ("weights.json", "weights"),
    ("weights.pdmodel", "weights.bin2"),
]


@pytest.mark.parametrize(("program", "weights"), PLACES)
def test_the_program_beside_it_names_the_tensors(program: str, weights: str, tmp_path: Path) -> None:
    state = official(layers=2)
    opened = open_weights(write_combined(tmp_path, state, program, weights))
    assert same(opened, under_keys(state)) and opened.warnings == ()
    assert [file.name for file in opened.files] == [weights, program]
    assert opened.writer == ("PIR program, version 4" if program.endswith(".json") else "ProgramDesc")
    assert (opened.format, opened.naming, opened.told_class) == ("combined", "official", HEADS["cls_out"])
    assert all(key_of(tensor.stored_as) == key for key, tensor in opened.tensors.items())


@pytest.mark.parametrize("program", ["x.json", "x.pdmodel", ""])
def test_twelve_layers_lie_in_text_order(program: str, tmp_path: Path) -> None:
    """In number order every shape would fit and 176 of 200 tensors would be wrong."""
    state = official(layers=12)
    assert sorted(state).index("encoder_layer_10_ffn_fc_0.b_0") < sorted(state).index("encoder_layer_2_ffn_fc_0.b_0")
    assert same(open_weights(write_combined(tmp_path, state, program, "x.pdiparams")), under_keys(state))


@pytest.mark.parametrize("program", ["x.json", "x.pdmodel"])
@pytest.mark.parametrize("head", HEADS)
def test_the_official_heads_tell_the_class(head: str, program: str, tmp_path: Path) -> None:
    state = official(1, head, pooler=head in ("", "cls_out"))
    opened = open_weights(write_combined(tmp_path, state, program, "x.pdiparams"))
    assert same(opened, under_keys(state)) and opened.told_class == HEADS[head]


@pytest.mark.parametrize("source", ["", "x.pdiparams", "x.json"])
def test_the_folder_the_weights_or_the_program_is_the_source(source: str, tmp_path: Path) -> None:
    state = official()
    write_combined(tmp_path, state, "x.json", "x.pdiparams")
    assert same(open_weights(tmp_path / source if source else tmp_path), under_keys(state))


def test_an_export_in_the_folder_inference(tmp_path: Path) -> None:
    state, expected = automatic()
    write_combined(tmp_path / "inference", state, "model.json", "model.pdiparams")
    assert same(open_weights(tmp_path), expected)


@pytest.mark.parametrize("program", ["inference.json", "inference.pdmodel"])
def test_numbered_names_with_more_than_ten_linears(program: str, tmp_path: Path) -> None:
    state, expected = automatic(layers=2)
    opened = open_weights(write_combined(tmp_path, state, program))
    assert same(opened, expected) and opened.naming == "automatic" and opened.told_class == ""


# The table of jit.save.


@pytest.mark.parametrize("program", ["x.json", "x.pdmodel", ""])
@pytest.mark.parametrize("numbers", [(0, 0, 0), (3, 9, 97)])
def test_the_table_of_jit_save_names_the_tensors(program: str, numbers: Any, tmp_path: Path) -> None:
    state, expected = automatic(starts=numbers)
    path = write_combined(tmp_path, state, program, "x.pdiparams")
    (tmp_path / "x.pdiparams.info").write_bytes(info(dict(zip(state, expected))))
    opened = open_weights(path)
    assert same(opened, expected) and opened.naming == "structured"
    assert bool(opened.warnings) == (not program) and "x.pdiparams.info" in [file.name for file in opened.files]


def test_the_table_also_knows_names_that_nothing_else_does(tmp_path: Path) -> None:
    state, expected = automatic()
    renamed = {f"my_{name}": array for name, array in state.items()}
    path = write_combined(tmp_path, renamed, "x.json", "x.pdiparams")
    (tmp_path / "x.pdiparams.info").write_bytes(info(dict(zip(renamed, expected))))
    assert same(open_weights(path), expected)


@pytest.mark.parametrize("program", ["x.pdmodel", ""])
def test_a_pooler_that_was_pruned_is_in_the_table_alone(program: str, tmp_path: Path) -> None:
    full, keys = automatic(head="uiem")
    state, expected = automatic(head="uiem", pooler=False)
    path = write_combined(tmp_path, state, program, "x.pdiparams")
    (tmp_path / "x.pdiparams.info").write_bytes(info(dict(zip(full, keys))))
    assert same(open_weights(path), expected)


def test_a_table_that_disagrees_with_the_numbers_is_refused_where_nothing_else_tells(tmp_path: Path) -> None:
    state, expected = automatic()
    names = dict(zip(state, expected))
    names["linear_0.w_0"], names["linear_1.w_0"] = names["linear_1.w_0"], names["linear_0.w_0"]
    path = write_combined(tmp_path, state, "", "x.pdiparams")
    (tmp_path / "x.pdiparams.info").write_bytes(info(names))
    with pytest.raises(
        FileError, match=r"E322.*x\.pdiparams\.info: its names and the numbers of the variables disagree"
    ):
        open_weights(path)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"linear_0.w_0": {"structured_name": "a"}}, "E322.*does not know 'embedding_0.w_0'"),
        ([], "E321.*no table of variables"),
        ({}, "E321.*no table of variables"),
        ({"x": 3}, "E321.*expected a structured_name"),
        ({"x": {"structured_name": 3}}, "E321.*expected a structured_name"),
        ({"x": {"structured_name": "a\n"}}, "E321.*expected a structured_name"),
        ({"x": {"structured_name": "a", "more": 1}}, "E321.*expected a structured_name"),
        ({"x": {"structured_name": "a", "trainable": 7}}, "E321.*expected a structured_name"),
        ({"x": {"structured_name": "a"}, "y": {"structured_name": "a"}}, "E321.*two variables have .*'a'"),
        ({"x": {"structured_name": np.zeros(3)}}, "E321.*expected a structured_name"),
        ({"\x1b[31m": {"structured_name": "a"}}, r"E321.*\\x1b\[31m"),
    ],
)
def test_a_table_that_is_none(table: Any, said: str, tmp_path: Path) -> None:
    state, _ = automatic()
    path = write_combined(tmp_path, state, "x.json", "x.pdiparams")
    (tmp_path / "x.pdiparams.info").write_bytes(pickle.dumps(table, 2))
    with pytest.raises(FileError, match=said):
        open_weights(path)


def test_a_table_that_wants_to_run_code_is_refused_and_nothing_runs(tmp_path: Path) -> None:
    state, _ = automatic()
    path = write_combined(tmp_path, state, "x.json", "x.pdiparams")
    (tmp_path / "x.pdiparams.info").write_bytes(pickle.dumps({"linear_0.w_0": touch(tmp_path / "ran")}, 2))
    with pytest.raises(FileError, match=r"E301.*x\.pdiparams\.info asks to run 'posix\.system'"):
        open_weights(path)
    assert not (tmp_path / "ran").exists()


# Nothing beside it.


@pytest.mark.parametrize("layers", [1, 3, 12])
@pytest.mark.parametrize("head", HEADS)
def test_the_official_names_alone_are_told_by_the_shapes(head: str, layers: int, tmp_path: Path) -> None:
    state = official(layers, head, pooler=head in ("", "cls_out"))
    opened = open_weights(write_combined(tmp_path, state, "", "params"))
    assert same(opened, under_keys(state))
    assert opened.told_class == ("" if head == "cls_mrc_out" else HEADS[head])  # tokens with two labels look the same
    assert len(opened.warnings) == 1 and "nothing beside params names its tensors" in opened.warnings[0]


def test_with_the_extras_of_pre_training(tmp_path: Path) -> None:
    h, v = official_shapes()["word_embedding"][1], official_shapes()["word_embedding"][0]
    extras = {"mask_lm_trans_fc.w_0": (h, h), "mask_lm_trans_fc.b_0": (h,), "mask_lm_out_fc.b_0": (v,)}
    extras |= {f"mask_lm_trans_layer_norm_{part}": (h,) for part in ("scale", "bias")} | {"sent_embedding": (4, h)}
    state = fill({**official_shapes(2, ""), **extras})
    opened = open_weights(write_combined(tmp_path, state, "", "params"))
    assert same(opened, under_keys({name: array for name, array in state.items() if name not in extras}))
    assert {name: tensor.read().tobytes() for name, tensor in opened.extras.items()} == {
        name: state[name].tobytes() for name in extras
    }


def test_two_labels_leave_the_class_open_and_no_tensor(tmp_path: Path) -> None:
    state = official(1, "cls_mrc_out", pooler=False)
    renamed = {name.replace("mrc", "seq_label"): array for name, array in state.items()}
    assert combined(state) == combined(renamed)
    opened = open_weights(write_combined(tmp_path, state, "", "params"))
    assert same(opened, under_keys(state)) and opened.told_class == ""


def test_numbered_names_alone_are_not_guessed(tmp_path: Path) -> None:
    state, _ = automatic()
    with pytest.raises(FileError, match=r"E323.*x\.pdiparams: its 40 tensors have no names.*Lay the program beside it"):
        open_weights(write_combined(tmp_path, state, "", "x.pdiparams"))


@pytest.mark.parametrize("lost", ["pooled_fc.b_0", "cls_out_w", "encoder_layer_1_ffn_fc_0.w_0", "word_embedding"])
def test_an_incomplete_set_of_official_names_is_refused(lost: str, tmp_path: Path) -> None:
    state = {name: array for name, array in official(2).items() if name != lost}
    for program in ("", "params.json", "params.pdmodel"):
        with pytest.raises(FileError, match="E323.*have no names" if not program else f"E322.*does not name {lost}"):
            open_weights(write_combined(tmp_path / (program or "bare"), state, program, "params"))


# What does not fit together.


@pytest.mark.parametrize("kind", ["x.json", "x.pdmodel"])
@pytest.mark.parametrize(
    ("name", "shape", "said"),
    [
        ("cls_out_b", (4,), r"\[3\] of float32; x.* says \[4\] of float32 for 'cls_out_b'"),
        ("pooled_fc.w_0", (4, 5), r"\[4, 4\] of float32; x.* says \[4, 5\] of float32"),
    ],
)
def test_a_shape_that_is_not_the_programs(kind: str, name: str, shape: Any, said: str, tmp_path: Path) -> None:
    state = official()
    path = write_combined(tmp_path, state, kind, "x.pdiparams")
    other = {**state, name: np.zeros(shape, "f4")}
    (tmp_path / kind).write_bytes(pir(other) if kind.endswith("json") else program_desc(other))
    with pytest.raises(FileError, match=rf"E322.*x\.pdiparams \(byte \d+\): {said}"):
        open_weights(path)


@pytest.mark.parametrize("kind", ["x.json", "x.pdmodel"])
def test_a_dtype_that_is_not_the_programs(kind: str, tmp_path: Path) -> None:
    state = official()
    path = write_combined(tmp_path, state, kind, "x.pdiparams")
    other = {**state, "cls_out_w": state["cls_out_w"].astype("f2")}
    (tmp_path / kind).write_bytes(pir(other) if kind.endswith("json") else program_desc(other))
    with pytest.raises(FileError, match=r"E322.*float32; x\..* says \[4, 3\] of float16 for 'cls_out_w'"):
        open_weights(path)


@pytest.mark.parametrize("kind", ["x.json", "x.pdmodel"])
def test_bytes_behind_the_last_tensor_and_tensors_too_few(kind: str, tmp_path: Path) -> None:
    state = official()
    path = write_combined(tmp_path, state, kind, "x.pdiparams")
    whole = path.read_bytes()
    path.unlink()
    path.write_bytes(whole + b"\0")
    with pytest.raises(FileError, match=rf"E322.*byte {len(whole)}.*1 bytes follow the last of {len(state)} tensors"):
        open_weights(path)
    path.unlink()
    path.write_bytes(whole[: -len(stream(state["word_embedding"]))])
    with pytest.raises(FileError, match=rf"E322.*ends after {len(state) - 1} tensors, and {kind} names {len(state)}"):
        open_weights(path)
    path.unlink()
    path.write_bytes(whole[:-1])
    with pytest.raises(
        FileError, match=r"E320.*'word_embedding': \[11, 4\] of float32 takes 176 bytes and 175 are left"
    ):
        open_weights(path)


def test_all_shapes_that_do_not_fit_are_named_at_once(tmp_path: Path) -> None:
    state = official()
    path = write_combined(tmp_path, state, "x.json", "x.pdiparams")
    (tmp_path / "x.json").write_bytes(pir({**state, "cls_out_b": numbered(9), "word_embedding": numbered(3, 3)}))
    with pytest.raises(FileError) as refused:
        open_weights(path)
    assert len(refused.value.problems) == 2


def test_two_programs_must_agree(tmp_path: Path) -> None:
    state = official()
    path = write_combined(tmp_path, state, "x.json", "x.pdiparams")
    (tmp_path / "x.pdmodel").write_bytes(program_desc(state))
    assert same(open_weights(path), under_keys(state))
    (tmp_path / "x.pdmodel").unlink()
    (tmp_path / "x.pdmodel").write_bytes(program_desc(official(2)))
    with pytest.raises(FileError, match=r"E322.*x\.json and x\.pdmodel name different parameters"):
        open_weights(path)


def test_json_that_is_no_program_is_not_used(tmp_path: Path) -> None:
    state = official()
    path = write_combined(tmp_path, state, "", "params")
    (tmp_path / "params.json").write_text(json.dumps({"learning_rate": 1e-5}))
    opened = open_weights(path)
    assert same(opened, under_keys(state)) and "params.json is no program" in opened.warnings[0]


def test_a_name_that_nothing_vouches_for_is_left_to_the_plan_where_it_cannot_have_moved(tmp_path: Path) -> None:
    state = {**official(), "crf_transitions": numbered(5, 5)}
    opened = open_weights(write_combined(tmp_path, state, "x.json", "x.pdiparams"))
    assert same(opened, under_keys(state)) and "crf_transitions" in opened.tensors


def test_a_name_that_nothing_vouches_for_beside_equal_shapes_is_refused(tmp_path: Path) -> None:
    state = {**official(), "pooled_fc.b_1": numbered(4)}
    with pytest.raises(FileError, match=r"E322.*'pooled_fc\.b_1': no name of ERNIE-M's"):
        open_weights(write_combined(tmp_path, state, "x.json", "x.pdiparams"))


def test_two_heads_and_two_schemes_are_refused(tmp_path: Path) -> None:
    two = {**official(), "cls_mrc_out_w": numbered(4, 2), "cls_mrc_out_b": numbered(2)}
    with pytest.raises(FileError, match="E103.*heads of ErnieMForQuestionAnswering and ErnieMForSequence"):
        open_weights(write_combined(tmp_path / "a", two, "x.json", "x.pdiparams"))
    both = {**official(), **automatic()[0]}
    with pytest.raises(
        FileError, match=r"E103.*two naming schemes.*\(automatic\).*\(official\)|E103.*\(official\).*\(auto"
    ):
        open_weights(write_combined(tmp_path / "b", both, "x.json", "x.pdiparams"))
    hidden = {**official(), "classifier.weight": numbered(7, 7)}
    with pytest.raises(FileError, match="E103.*'cls_out_w' and 'classifier.weight' are the same weight"):
        open_weights(write_combined(tmp_path / "c", hidden, "x.json", "x.pdiparams"))


def test_the_optimizers_state_in_a_training_programs_file_is_left_out(tmp_path: Path) -> None:
    state = official()
    more = {f"{name}_moment{n}_0": array * 0 for name, array in state.items() for n in (1, 2)}
    more |= {"@LR_DECAY_COUNTER@": np.zeros(1, "i8"), "learning_rate_0": np.zeros(1, "f4")}
    opened = open_weights(write_combined(tmp_path, {**state, **more}, "x.json", "x.pdiparams"))
    assert same(opened, under_keys(state))
    assert set(dict(opened.left_out)) == set(more) and all(dict(opened.left_out).values())


def test_several_exports_in_one_folder_are_not_chosen_between(tmp_path: Path) -> None:
    write_combined(tmp_path, official(), "a.json", "a.pdiparams")
    write_combined(tmp_path, official(), "b.json", "b.pdiparams")
    with pytest.raises(SourceError, match=r"E003.*a\.pdiparams, b\.pdiparams.*Name the one"):
        open_weights(tmp_path)


def test_a_program_without_weights(tmp_path: Path) -> None:
    (tmp_path / "x.pdmodel").write_bytes(program_desc(official()))
    with pytest.raises(SourceError, match=r"E004.*x\.pdmodel: a program without weights; expected x\.pdiparams or"):
        open_weights(tmp_path / "x.pdmodel")


def test_a_program_that_is_a_special_file_is_not_opened(tmp_path: Path) -> None:
    import os

    path = write_combined(tmp_path, official(), "", "x.pdiparams")
    os.mkfifo(tmp_path / "x.pdmodel")
    with pytest.raises(FileError, match=r"E310.*x\.pdmodel: is a FIFO"):
        open_weights(path)


def test_static_save_keeps_a_pickle_under_variable_names(tmp_path: Path) -> None:
    for state, expected in ((official(), under_keys(official())), automatic()):
        folder = tmp_path / str(len(state))
        folder.mkdir()
        (folder / "model.pdparams").write_bytes(pickle.dumps(state, 4))
        (folder / "model.pdopt").write_bytes(pickle.dumps({}, 4))
        (folder / "model.json").write_bytes(pir(state))
        for source in (folder, folder / "model.pdparams", folder / "model.json"):
            opened = open_weights(source)
            assert same(opened, expected) and opened.format == "pdparams" and opened.naming != "structured"
