"""Adapters without their model are named for what they are, whether SOURCE is the folder or the file."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from converter.common.errors import Paddle2TorchError, SourceError
from converter.locate.hub_files import needed_files
from converter.open.dispatch import open_weights
from tests.support.checkpoints import make_state, write_folder

PADDLENLP = "ernie_m.encoder.layers.0.self_attn.q_proj.lora_A"
PORT = "ernie_m.encoder.layers.0.self_attn.self_attn.q_proj"
ADVICE = "Merge it into its base model, then convert that"


def write_pickle(path: Path, *names: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps({name: np.zeros((2, 3), "<f4") for name in names}, 4))
    return path


def write_peft(folder: Path, name: str, *names: str) -> Path:
    """A PEFT folder: safetensors or a file of torch.save."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 2}))
    state = {f"base_model.model.{each}": np.zeros((2, 3), "f4") for each in names}
    if name.endswith(".safetensors"):
        save_file(state, folder / name, {"format": "pt"})
    else:
        torch = pytest.importorskip("torch")
        torch.save({key: torch.tensor(array) for key, array in state.items()}, folder / name)
    return folder / name


def refusal(path: Path) -> str:
    """The text of E006; not another code, and one problem alone."""
    with pytest.raises(SourceError) as caught:
        open_weights(path)
    (problem,) = caught.value.problems
    assert problem.code == "E006" and problem.text.endswith(ADVICE) and "an adapter only, not a model" in problem.text
    return problem.text


def test_paddlenlps_folder_its_weights_and_its_config(tmp_path: Path) -> None:
    weights = write_pickle(tmp_path / "lora" / "lora_model_state.pdparams", PADDLENLP, "classifier.weight")
    (tmp_path / "lora" / "lora_config.json").write_text('{"r": 2}')
    (tmp_path / "lora" / "config.json").write_text("{}")
    assert refusal(tmp_path / "lora").startswith(
        f"{tmp_path / 'lora'}: an adapter only, not a model (lora_config.json, lora_model_state"
    )
    assert "(LoRA adapters, by the names of its tensors)" in refusal(weights)
    assert refusal(tmp_path / "lora" / "lora_config.json").startswith("lora_config.json: an adapter only")


def test_prefix_tuning(tmp_path: Path) -> None:
    names = ("prefix_encoder.0.weight", "prefix_encoder.1.bias")
    weights = write_pickle(tmp_path / "in" / "prefix_model_state.pdparams", *names)
    assert "prefix_model_state.pdparams" in refusal(tmp_path / "in")
    assert "(prefix tuning or soft prompts, by the names of its tensors)" in refusal(weights)


@pytest.mark.parametrize("name", ["adapter_model.safetensors", "adapter_model.bin"])
@pytest.mark.parametrize("module", [PORT, "bert.encoder.layer.0.attention.self.query"])
def test_pefts_folder_and_its_weights(tmp_path: Path, name: str, module: str) -> None:
    weights = write_peft(tmp_path / "in", name, f"{module}.lora_A.weight", f"{module}.lora_B.weight")
    assert "adapter_config.json" in refusal(tmp_path / "in") and name in refusal(tmp_path / "in")
    assert refusal(weights).startswith(name)
    assert refusal(tmp_path / "in" / "adapter_config.json").startswith("adapter_config.json")


def test_a_file_is_what_its_tensors_say_whatever_its_name(tmp_path: Path) -> None:
    write_folder(tmp_path / "named")
    write_pickle(tmp_path / "named" / "model_state.pdparams", PADDLENLP)
    assert refusal(tmp_path / "named").startswith("model_state.pdparams: an adapter only")
    whole = tmp_path / "lora_model_state.pdparams"
    whole.write_bytes(pickle.dumps(make_state(), 4))
    assert len(open_weights(whole).tensors) == len(make_state())


def test_what_is_damaged_or_hostile_keeps_its_own_error(tmp_path: Path) -> None:
    path = write_pickle(tmp_path / "lora_model_state.pdparams", PADDLENLP)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(Paddle2TorchError) as caught:
        open_weights(path)
    assert caught.value.problems[0].code == "E303"


def test_an_adapter_next_to_the_weights_is_not_read_and_warned_of(tmp_path: Path) -> None:
    write_pickle(write_folder(tmp_path) / "lora_model_state.pdparams", PADDLENLP)
    (tmp_path / "lora_config.json").write_text("{}")
    opened = open_weights(tmp_path)
    assert len(opened.tensors) == len(make_state())
    assert opened.warnings[0].startswith("lora_config.json, lora_model_state.pdparams: an adapter next to the weights")


def test_a_repository_of_an_adapter_is_named_before_anything_is_fetched() -> None:
    with pytest.raises(SourceError) as caught:
        needed_files(["adapter_config.json", "adapter_model.safetensors", "README.md"], "me/lora")
    assert caught.value.problems[0].code == "E006" and "Hub id me/lora" in caught.value.problems[0].text
