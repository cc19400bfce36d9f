"""Saving and loading: bit equal in one version and across versions, by the Auto classes, by remote code, by pickle."""

from __future__ import annotations

import copy
import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file

import ernie_m

IDS = torch.tensor([[0, 7, 8, 9, 10, 2], [0, 11, 12, 2, 5, 6]])
AUTO = {
    "ErnieMModel": "AutoModel",
    "ErnieMForSequenceClassification": "AutoModelForSequenceClassification",
    "ErnieMForMultipleChoice": "AutoModelForMultipleChoice",
    "ErnieMForTokenClassification": "AutoModelForTokenClassification",
    "ErnieMForQuestionAnswering": "AutoModelForQuestionAnswering",
    "ErnieMForMaskedLM": "AutoModelForMaskedLM",
}
CLASSES = [*AUTO, "ErnieMForInformationExtraction"]
#: Under transformers 5 both lines are tried; that the other line gives these bits need not be asked again from there.
LINES = ["transformers4_python"]
if not transformers.__version__.startswith("4."):
    LINES.append("transformers5_python")


def inputs_for(name: str) -> dict[str, torch.Tensor]:
    return {"input_ids": IDS[:, None] if name == "ErnieMForMultipleChoice" else IDS}


def outputs(model: Any, name: str) -> dict[str, torch.Tensor]:
    with torch.no_grad():
        return dict(model(**inputs_for(name)))


def assert_same(ours: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    assert ours.keys() == other.keys()
    assert all(torch.equal(ours[key], other[key]) for key in ours)


@pytest.mark.parametrize("name", CLASSES)
def test_import_ernie_m_registers_the_auto_classes(tiny: Any, name: str, tmp_path: Path) -> None:
    """No trust_remote_code, and in 4.57 not the port."""
    model = tiny(name)
    model.save_pretrained(tmp_path)
    auto = getattr(transformers, AUTO.get(name, "AutoModel"))
    if name in AUTO:
        loaded = auto.from_pretrained(tmp_path).eval()
        assert type(loaded) is type(model)
        assert type(auto.from_config(model.config)) is type(model)
    else:  # no Auto class means information extraction: by its own name
        loaded = ernie_m.ErnieMForInformationExtraction.from_pretrained(tmp_path).eval()
    assert_same(model.state_dict(), loaded.state_dict())
    # Loaded tensors lie elsewhere in memory: kernels that go by alignment round the last bits otherwise.
    found = outputs(loaded, name)
    assert all(torch.allclose(found[key], value, rtol=2e-6, atol=2e-6) for key, value in outputs(model, name).items())


@pytest.mark.parametrize("name", CLASSES)
def test_pickles_and_deep_copies_are_equal(tiny: Any, name: str) -> None:
    model = tiny(name)
    expected = outputs(model, name)
    assert_same(expected, outputs(copy.deepcopy(model), name))
    assert_same(expected, outputs(pickle.loads(pickle.dumps(model)), name))
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    assert_same(expected, outputs(torch.load(file, weights_only=False), name))


@pytest.mark.parametrize("line", LINES)
def test_remote_code_gives_the_same_bits_in_both_lines(
    tiny: Any, line: str, run_script: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """What this line saves, the other loads, and the other way round; `ernie_m` is not installed there."""
    python = request.getfixturevalue(line)
    for name in ("ErnieMForSequenceClassification", "ErnieMForInformationExtraction", "ErnieMForMaskedLM"):
        here, there = tmp_path / name, tmp_path / f"{name} again"
        model = tiny(name)
        model.save_pretrained(here)
        np.savez(here / "inputs.npz", **{key: value.numpy() for key, value in inputs_for(name).items()})
        run_script(python, "load_folder.py", here, name, AUTO.get(name, "AutoModel"), there)
        with np.load(there / "outputs.npz") as file:
            assert_same(outputs(model, name), {key: torch.tensor(file[key]) for key in file.files})
        assert_same(load_file(here / "model.safetensors"), load_file(there / "model.safetensors"))
        for code in ("configuration_ernie_m.py", "modeling_ernie_m.py"):
            assert (there / code).read_bytes() == (Path(ernie_m.__file__).parent / code).read_bytes()
        back = getattr(ernie_m, name).from_pretrained(there).eval()
        assert_same(outputs(model, name), outputs(back, name))


def test_a_base_model_may_have_no_pooler(tiny: Any, tmp_path: Path) -> None:
    model = tiny(add_pooling_layer=False)
    assert model.pooler is None and model(IDS).pooler_output is None
    assert len(model(IDS, return_dict=False)) == 1
    assert not any("pooler" in key for key in model.state_dict())
    model.save_pretrained(tmp_path)
    loaded, report = ernie_m.ErnieMModel.from_pretrained(tmp_path, output_loading_info=True)
    assert loaded.pooler is None and not any(report.values())
    assert ernie_m.ErnieMModel(model.config, add_pooling_layer=True).pooler is not None
    assert tiny("ErnieMForSequenceClassification", add_pooling_layer=False).ernie_m.pooler is not None, "it needs one"
    assert tiny("ErnieMForInformationExtraction", add_pooling_layer=False).ernie_m.pooler is None


def test_a_base_checkpoint_loads_into_a_head_and_back(tiny: Any, tmp_path: Path) -> None:
    """Only what is missing is made anew; what was loaded keeps its bits."""
    base = tiny()
    base.save_pretrained(tmp_path / "base")
    head, report = ernie_m.ErnieMForTokenClassification.from_pretrained(tmp_path / "base", output_loading_info=True)
    assert set(report["missing_keys"]) == {"classifier.weight", "classifier.bias"}
    loaded = head.ernie_m.state_dict()
    assert_same({key: value for key, value in base.state_dict().items() if "pooler" not in key}, loaded)
    assert head.classifier.bias.abs().max() == 0 and 0.1 < head.classifier.weight.std() < 1.0
    head.save_pretrained(tmp_path / "head")
    again = ernie_m.ErnieMModel.from_pretrained(tmp_path / "head", add_pooling_layer=False)
    assert_same(loaded, again.state_dict())


def test_new_weights_are_made_as_paddle_makes_them(tiny: Any) -> None:
    """Normal with initializer_range for linear and embedding weights, the row of [PAD] too; biases 0, norms 1 and 0."""
    model = tiny(hidden_size=64, initializer_range=0.1)
    for name, parameter in model.named_parameters():
        if parameter.ndim == 2:
            assert 0.08 < parameter.std() < 0.12, name
        else:
            assert torch.equal(parameter, torch.full_like(parameter, float("norm" in name and "weight" in name))), name
    assert model.embeddings.word_embeddings.weight[1].abs().max() > 0
    for added in (torch.nn.Linear(64, 64, bias=False), torch.nn.Dropout()):  # adapters may add such modules
        model._init_weights(added)
        assert all(0.08 < parameter.std() < 0.12 for parameter in added.parameters())


@pytest.mark.parametrize("dtype", ["float64", "bfloat16", "float16"])
def test_dtypes_survive_a_file(tiny: Any, tmp_path: Path, dtype: str) -> None:
    model = tiny().to(getattr(torch, dtype))
    model.save_pretrained(tmp_path)
    loaded = transformers.AutoModel.from_pretrained(tmp_path, dtype="auto").eval()
    assert loaded.dtype == getattr(torch, dtype)
    assert_same(model.state_dict(), loaded.state_dict())
