"""The head of the release's pre-training: taken for the class that is asked for, whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from converter import Paddle2TorchError, convert, inspect
from converter.common.errors import SourceError
from tests.support.checkpoints import write_folder
from tests.support.streams import HIDDEN, POSITIONS, VOCABULARY, fill, official_shapes

CLASS = "ErnieMForMaskedLM"
HEAD: dict[str, tuple[int, ...]] = {
    "mask_lm_trans_fc.w_0": (HIDDEN, HIDDEN),
    "mask_lm_trans_fc.b_0": (HIDDEN,),
    "mask_lm_trans_layer_norm_scale": (HIDDEN,),
    "mask_lm_trans_layer_norm_bias": (HIDDEN,),
    "mask_lm_out_fc.b_0": (VOCABULARY,),
}
CONFIG = {
    "hidden_size": HIDDEN,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "vocab_size": VOCABULARY,
    "max_position_embeddings": POSITIONS,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    "initializer_range": 0.02,
}
ASKED: dict[str, Any] = {"architecture": CLASS}


def state(**changes: Any) -> dict[str, np.ndarray]:
    """The release's variables of an encoder and its head; None takes one out."""
    made = {**fill({**official_shapes(head=""), **HEAD}), **changes}
    return {name: array for name, array in made.items() if array is not None}


def write(folder: Path, arrays: dict[str, np.ndarray]) -> Path:
    write_folder(folder, arrays, {})
    (folder / "ernie_config.json").write_text(json.dumps(CONFIG))
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write(tmp_path / "in", state())


def test_the_head_is_written_under_xlm_rs_names_with_the_dense_transposed(source: Path, tmp_path: Path) -> None:
    result = convert(source, tmp_path / "out", **ASKED)
    written, arrays = load_file(tmp_path / "out" / "model.safetensors"), state()
    assert (result.target_class, result.extras, result.behavior) == (CLASS, (), "release")
    names = ("dense.weight", "dense.bias", "layer_norm.weight", "layer_norm.bias", "bias")
    for name, stored in zip(names, HEAD):
        expected = arrays[stored].T if arrays[stored].ndim == 2 else arrays[stored]
        np.testing.assert_array_equal(written[f"lm_head.{name}"], expected)
    np.testing.assert_array_equal(written["ernie_m.embeddings.word_embeddings.weight"], arrays["word_embedding"])
    assert {name for name in written if not name.startswith("ernie_m.")} == {f"lm_head.{name}" for name in names}
    assert not any("pooler" in name for name in written)
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["architectures"] == [CLASS]
    assert config["auto_map"]["AutoModelForMaskedLM"] == f"modeling_ernie_m.{CLASS}"
    rows = json.loads((tmp_path / "out" / "paddle2torch.json").read_text())["tensors"]
    assert {row["stored_as"] for row in rows if row["target"].startswith("lm_head.")} == set(HEAD)


def test_nobody_who_does_not_ask_gets_it_and_the_warning_names_the_option(source: Path, tmp_path: Path) -> None:
    result = convert(source, tmp_path / "out")
    assert (result.target_class, result.extras) == ("ErnieMModel", tuple(sorted(HEAD)))
    (warning,) = [text for text in result.warnings if "release_extras.safetensors" in text]
    assert warning.endswith("of OUTPUT. --architecture ErnieMForMaskedLM makes a class of the head")
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["auto_map"]["AutoModelForMaskedLM"] == "modeling_ernie_m.ErnieMHasNoMaskedLM"
    assert inspect(source).extras and not inspect(source, **ASKED).extras


@pytest.mark.parametrize("name", HEAD)
def test_a_head_that_is_not_whole_is_refused_by_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        convert(write(tmp_path / "in", state(**{name: None})), tmp_path / "out", **ASKED)
    (problem,) = caught.value.problems
    assert problem.code == "E101" and f"no whole head for {CLASS}: missing {name} (lm_head." in problem.text
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("structured", [False, True])
def test_a_checkpoint_without_the_head_is_refused_for_the_class(structured: bool, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    source = write_folder(folder) if structured else write(folder, state(**dict.fromkeys(HEAD)))
    with pytest.raises(SourceError, match="E101.*missing mask_lm_trans_fc.w_0.*A head is never made up"):
        convert(source, tmp_path / "out", **ASKED)


def test_a_decoder_of_its_own_is_refused_for_the_class_and_kept_apart_else(tmp_path: Path) -> None:
    decoder = np.ones((HIDDEN, VOCABULARY), "f4")
    source = write(tmp_path / "in", state(**{"mask_lm_out_fc.w_0": decoder}))
    with pytest.raises(SourceError, match="E104.*mask_lm_out_fc.w_0: a decoder of its own"):
        convert(source, tmp_path / "out", **ASKED)
    assert "mask_lm_out_fc.w_0" in convert(source, tmp_path / "out").extras


def test_a_tensor_of_the_head_of_another_shape_is_refused(tmp_path: Path) -> None:
    source = write(tmp_path / "in", state(**{"mask_lm_out_fc.b_0": np.ones(HIDDEN, "f4")}))
    with pytest.raises(Paddle2TorchError, match=rf"E201.*lm_head.bias is \[{HIDDEN}\], expected \[{VOCABULARY}\]"):
        convert(source, tmp_path / "out", **ASKED)


def test_the_copy_in_full_precision_is_taken(tmp_path: Path) -> None:
    """Training in half precision kept both, of all weights."""
    halves = {name: array.astype("f2") for name, array in state().items()}
    masters = {f"{name}.master": array for name, array in state().items()}
    result = convert(write(tmp_path / "in", {**halves, **masters}), tmp_path / "out", **ASKED)
    written = load_file(tmp_path / "out" / "model.safetensors")
    assert result.extras == () and {array.dtype.name for array in written.values()} == {"float32"}
    np.testing.assert_array_equal(written["lm_head.bias"], state()["mask_lm_out_fc.b_0"])


def test_a_second_copy_of_the_words_must_be_equal(tmp_path: Path) -> None:
    """A folder with Paddle's keys, or a state dict of PyTorch's, may hold the tied decoder too."""
    from tests.support.checkpoints import make_config, make_state

    arrays = make_state(CLASS)
    assert "lm_head.decoder.weight" in arrays
    config = make_config(CLASS)
    convert(write_folder(tmp_path / "in", arrays, config), tmp_path / "out")
    assert "lm_head.decoder.weight" not in load_file(tmp_path / "out" / "model.safetensors")
    arrays["lm_head.decoder.weight"] = arrays["lm_head.decoder.weight"] + 1
    with pytest.raises(Paddle2TorchError, match="lm_head.decoder.weight"):
        convert(write_folder(tmp_path / "other", arrays, config), tmp_path / "out2")
