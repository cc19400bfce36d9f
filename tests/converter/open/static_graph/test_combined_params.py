"""Combined files: streams are matched with names from another file, in alphabetical order, or refused."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from converter.common.errors import FileError
from converter.open.dispatch import open_weights
from mappings import load_family
from tests.support.pickles import same
from tests.support.streams import (
    automatic,
    combined,
    fill,
    key_of,
    official,
    official_shapes,
    pir,
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
    assert (opened.format, opened.naming, opened.inferred_class) == ("combined", "official", HEADS["cls_out"])
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
    assert same(opened, under_keys(state)) and opened.inferred_class == HEADS[head]


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
    assert same(opened, expected) and opened.naming == "automatic" and opened.inferred_class == ""


# Nothing beside it.


@pytest.mark.parametrize("layers", [1, 3, 12])
@pytest.mark.parametrize("head", HEADS)
def test_the_official_names_alone_are_told_by_the_shapes(head: str, layers: int, tmp_path: Path) -> None:
    state = official(layers, head, pooler=head in ("", "cls_out"))
    opened = open_weights(write_combined(tmp_path, state, "", "params"))
    assert same(opened, under_keys(state))
    assert opened.inferred_class == ("" if head == "cls_mrc_out" else HEADS[head])  # tokens look the same
    assert len(opened.warnings) == 1 and "nothing next to params names its tensors" in opened.warnings[0]


def test_with_the_extras_of_pre_training(tmp_path: Path) -> None:
    h, v = official_shapes()["word_embedding"][1], official_shapes()["word_embedding"][0]
    extras = {"mask_lm_trans_fc.w_0": (h, h), "mask_lm_trans_fc.b_0": (h,), "mask_lm_out_fc.b_0": (v,)}
    extras |= {f"mask_lm_trans_layer_norm_{part}": (h,) for part in ("scale", "bias")} | {"sent_embedding": (4, h)}
    state = fill({**official_shapes(2, ""), **extras})
    path = write_combined(tmp_path, state, "", "params")
    opened = open_weights(path, (load_family("ernie_m"),))  # By the shapes alone it is an ERNIE.
    assert same(opened, under_keys({name: array for name, array in state.items() if name not in extras}))
    assert {name: tensor.read().tobytes() for name, tensor in opened.extras.items()} == {
        name: state[name].tobytes() for name in extras
    }


def test_two_labels_leave_the_class_open_and_no_tensor(tmp_path: Path) -> None:
    state = official(1, "cls_mrc_out", pooler=False)
    renamed = {name.replace("mrc", "seq_label"): array for name, array in state.items()}
    assert combined(state) == combined(renamed)
    opened = open_weights(write_combined(tmp_path, state, "", "params"))
    assert same(opened, under_keys(state)) and opened.inferred_class == ""


def test_numbered_names_alone_are_not_guessed(tmp_path: Path) -> None:
    state, _ = automatic()
    with pytest.raises(
        FileError, match=r"E323.*x\.pdiparams: its 40 tensors have no names.*Put the program next to it"
    ):
        open_weights(write_combined(tmp_path, state, "", "x.pdiparams"))


@pytest.mark.parametrize("lost", ["pooled_fc.b_0", "cls_out_w", "encoder_layer_1_ffn_fc_0.w_0", "word_embedding"])
def test_an_incomplete_set_of_official_names_is_refused(lost: str, tmp_path: Path) -> None:
    state = {name: array for name, array in official(2).items() if name != lost}
    for program in ("", "params.json", "params.pdmodel"):
        with pytest.raises(FileError, match="E323.*have no names" if not program else f"E322.*does not name {lost}"):
            open_weights(write_combined(tmp_path / (program or "bare"), state, program, "params"))


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
