"""Checkpoints of transformers 4.57's own ErnieM, converted: ordinary folders with the port's own numbers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import ernie_m
from converter import convert, inspect
from converter.common.errors import FileError, PlanError, SourceError
from tests.ernie_m.test_modeling_port import CASES, CLASSES, NOISE, case_of
from verify import verify

HEAD = "ErnieMForSequenceClassification"
FORMS = {
    "safetensors": "model.safetensors",
    "safetensors-shards": "model.safetensors.index.json",
    "bin": "pytorch_model.bin",
    "bin-shards": "pytorch_model.bin.index.json",
}


@pytest.fixture(scope="module")
def port(port_numbers: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(port_numbers, tmp_path_factory.mktemp("port"), dirs_exist_ok=True))


@pytest.fixture(scope="module")
def forms(port_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(port_files, tmp_path_factory.mktemp("forms"), dirs_exist_ok=True))


def largest_difference(output: Path, recorded: Path, difference: Any, name: str, attn: str = "eager") -> float:
    """Over all cases and sites, relative: what OUTPUT computes as it is loaded, against what the port did."""
    model, report = getattr(ernie_m, name).from_pretrained(output, attn_implementation=attn, output_loading_info=True)
    assert not any(report.values()), report
    worst = 0.0
    for case in CASES:
        inputs, outputs = case_of(recorded, case)
        with torch.no_grad():
            ours = model.eval()(**inputs)
        assert outputs.keys() == ours.keys()
        worst = max(worst, *(difference(ours[site], value) for site, value in outputs.items()))
    return worst


@pytest.mark.parametrize("attn", ["eager", "sdpa"])
@pytest.mark.parametrize("name", CLASSES)
def test_the_output_computes_what_the_port_did_with_and_without_a_mask(
    port: Path, tmp_path: Path, difference: Any, name: str, attn: str
) -> None:
    result = convert(port / name, tmp_path / "out")
    assert (result.target_class, result.behavior, result.dropped) == (name, "transformers", ())
    assert largest_difference(tmp_path / "out", port / name, difference, name, attn) < NOISE
    report = verify(port / name, tmp_path / "out", static_only=True)
    assert report.passed and report.static is not None and report.static.tensors == result.tensors


def test_another_behavior_gives_other_numbers(port: Path, tmp_path: Path, difference: Any) -> None:
    """So the check above can fail. The release's rule differs from the port's in rows that hide every key alone."""
    for behavior, hidden in (("paddlenlp", [0]), ("release", [1])):
        output = tmp_path / behavior
        assert convert(port / "ErnieMModel", output, behavior=behavior).behavior == behavior
        assert json.loads((output / "config.json").read_text())["implicit_mask_token_ids"] == hidden
        assert largest_difference(output, port / "ErnieMModel", difference, "ErnieMModel") > 0.05
        assert "from a checkpoint of transformers' own ErnieM" in (output / "README.md").read_text()
        assert verify(port / "ErnieMModel", output, static_only=True).passed


@pytest.mark.parametrize(("form", "first"), FORMS.items())
def test_every_form_of_save_pretrained_gives_the_same_tensors(
    port: Path, forms: Path, tmp_path: Path, form: str, first: str
) -> None:
    source = forms / form
    assert (source / first).is_file()
    convert(source, tmp_path / "out")
    written, expected = load_file(tmp_path / "out" / "model.safetensors"), load_file(port / HEAD / "model.safetensors")
    assert written.keys() == expected.keys()
    assert all(torch.equal(written[name], expected[name]) for name in expected)


def test_the_config_keeps_what_only_the_port_has(port: Path, tmp_path: Path) -> None:
    source = shutil.copytree(port / HEAD, tmp_path / "in")
    config = json.loads((source / "config.json").read_text())
    config.update(act_dropout=0.25, layer_norm_eps=1e-6, classifier_dropout=0.5, pad_token_id=3)
    (source / "config.json").write_text(json.dumps(config))
    convert(source, tmp_path / "out")
    written = json.loads((tmp_path / "out" / "config.json").read_text())
    expected = {
        "act_dropout": 0.25,
        "layer_norm_eps": 1e-6,
        "classifier_dropout": 0.5,
        "implicit_mask_token_ids": [3],
        "attention_mask_value": None,
        "intermediate_size": 24,
        "position_offset": 2,
    }
    assert {name: written[name] for name in expected} == expected
    assert verify(source, tmp_path / "out", static_only=True).passed


def test_inspect_tells_what_it_is(forms: Path) -> None:
    found = inspect(forms / "bin-shards")
    assert (found.source_class, found.behavior, found.problems) == (HEAD, "transformers", ())
    assert found.format.startswith("PyTorch pickle in ") and found.sizes["intermediate_size"] == 24
    assert "[PAD] is masked" in found.behavior_means


def test_a_tokenizer_beside_it_is_taken_with_a_warning_about_its_ids(port: Path, tmp_path: Path) -> None:
    from tests.converter.open.tokenizer.test_tokenizer_files import write_tokenizer

    source = write_tokenizer(shutil.copytree(port / HEAD, tmp_path / "in"), sentencepiece_model_ckpt="spm.model")
    result = convert(source, tmp_path / "out")
    assert "transformers' own tokenizer gives ids that no release of Paddle's gave" in " ".join(result.warnings)
    assert json.loads((tmp_path / "out" / "tokenizer_config.json").read_text())["piece_rule"] == "paddlenlp"


def test_a_converted_folder_is_converted_already(port: Path, tmp_path: Path) -> None:
    convert(port / HEAD, tmp_path / "out")
    for source in (tmp_path / "out", tmp_path / "out" / "model.safetensors"):
        with pytest.raises(SourceError, match="E041.*converted already"):
            convert(source, tmp_path / "again")


def edit(folder: Path, metadata: dict[str, str] | None, change: Any = lambda state: state) -> Path:
    path = folder / "model.safetensors"
    save_file(change(load_file(path)), path, metadata)
    return folder


def test_names_tell_it_where_the_metadata_do_not(port: Path, tmp_path: Path) -> None:
    source = edit(shutil.copytree(port / HEAD, tmp_path / "in"), None)
    assert "taken as PyTorch's, its names being transformers'" in convert(source, tmp_path / "out").warnings[0]


def test_the_ports_names_in_another_layout_are_refused(port: Path, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="E304.*names of transformers and the format 'np'"):
        convert(edit(shutil.copytree(port / HEAD, tmp_path / "in"), {"format": "np"}), tmp_path / "out")


def rename_to_paddles(state: dict[str, Any]) -> dict[str, Any]:
    return {name.replace("self_attn.self_attn.", "self_attn."): value for name, value in state.items()}


def test_paddles_names_in_pytorch_layout_are_refused(port: Path, forms: Path, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="E304.*another framework"):
        convert(
            edit(shutil.copytree(port / HEAD, tmp_path / "in"), {"format": "pt"}, rename_to_paddles), tmp_path / "o"
        )
    source = shutil.copytree(forms / "bin", tmp_path / "bin")
    state = torch.load(source / "pytorch_model.bin", weights_only=True)
    torch.save(rename_to_paddles(state), source / "pytorch_model.bin")
    with pytest.raises(PlanError) as caught:
        convert(source, tmp_path / "out")
    assert [problem.code for problem in caught.value.problems] == ["E101", "E104"]


def test_a_turned_matrix_is_found_by_its_shape(port: Path, tmp_path: Path) -> None:
    def turn(state: dict[str, Any]) -> dict[str, Any]:
        name = "ernie_m.encoder.layers.0.linear1.weight"
        return {**state, name: state[name].T.contiguous()}

    source = edit(shutil.copytree(port / HEAD, tmp_path / "in"), {"format": "pt"}, turn)
    with pytest.raises(PlanError, match=r"E201.*linear1.weight is \[16, 24\], expected \[24, 16\]"):
        convert(source, tmp_path / "out")


def test_the_recorded_numbers_see_a_wrong_weight(port: Path, tmp_path: Path, difference: Any) -> None:
    def disturb(state: dict[str, Any]) -> dict[str, Any]:
        name = "ernie_m.encoder.layers.1.norm2.bias"
        return {**state, name: state[name] + torch.tensor(np.eye(16)[3], dtype=torch.float32)}

    source = edit(shutil.copytree(port / HEAD, tmp_path / "in"), {"format": "pt"}, disturb)
    convert(source, tmp_path / "out")
    assert largest_difference(tmp_path / "out", port / HEAD, difference, HEAD) > NOISE
