"""Folders of UIE and of transformers' own ERNIE: what loads as what, with and without `import ernie`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

CODE = "modeling_ernie_extraction.py"
REMOTE = "modeling_ernie_extraction.ErnieForInformationExtraction"
SIZES = {
    "vocab_size": 30,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 20,
    "max_position_embeddings": 24,
    "initializer_range": 0.3,
}
IDS = torch.tensor([[1, 5, 6, 2, 9, 8, 2], [1, 4, 2, 7, 2, 0, 0]])


@pytest.fixture
def model() -> Any:
    from ernie import ErnieForInformationExtraction

    torch.manual_seed(0)
    return ErnieForInformationExtraction(transformers.ErnieConfig(**SIZES)).eval()


@pytest.fixture
def folder(model: Any, tmp_path: Path) -> Path:
    model.save_pretrained(tmp_path / "saved")
    return tmp_path / "saved"


def logits(model: Any) -> Any:
    with torch.no_grad():
        output = model.eval()(input_ids=IDS)
    return torch.stack([output.start_logits, output.end_logits])


def test_a_saved_folder_loads_by_its_own_code(model: Any, folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text("utf-8"))
    assert config["auto_map"] == {"AutoModel": REMOTE} and config["model_type"] == "ernie"
    assert (folder / CODE).is_file()
    loaded = transformers.AutoModel.from_pretrained(folder, trust_remote_code=True)
    assert type(loaded).__module__.startswith("transformers_modules.")
    assert torch.allclose(logits(loaded), logits(model), rtol=0, atol=1e-6)
    again = type(model).from_pretrained(folder)
    assert type(again) is type(model) and torch.allclose(logits(again), logits(model), rtol=0, atol=1e-6)


def test_transformers_own_folders_load_as_before(model: Any, folder: Path, tmp_path: Path) -> None:
    """`import ernie` replaces nothing: AutoModel is ErnieModel, for a folder of UIE without its code as well."""
    stock = transformers.ErnieModel(transformers.ErnieConfig(**SIZES))
    stock.save_pretrained(tmp_path / "stock")
    for trusted in (False, True):
        loaded = transformers.AutoModel.from_pretrained(tmp_path / "stock", trust_remote_code=trusted)
        assert type(loaded) is transformers.ErnieModel
    encoder, info = transformers.AutoModel.from_pretrained(folder, trust_remote_code=False, output_loading_info=True)
    assert type(encoder) is transformers.ErnieModel and not info["missing_keys"]
    assert torch.equal(encoder.pooler.dense.weight, model.ernie.pooler.dense.weight)


def test_the_tensors_are_those_of_the_encoder_and_two_layers(model: Any) -> None:
    encoder = {f"ernie.{name}" for name, _ in transformers.ErnieModel(model.config).named_parameters()}
    heads = {f"linear_{side}.{part}" for side in ("start", "end") for part in ("weight", "bias")}
    assert {name for name, _ in model.named_parameters()} == encoder | heads
    assert "ernie.pooler.dense.weight" in encoder


def test_gradient_checkpointing_gives_the_same_gradients(model: Any) -> None:
    targets = (IDS % 2).float()

    def gradients() -> dict[str, Any]:
        model.zero_grad()
        model(input_ids=IDS, start_positions=targets, end_positions=1 - targets).loss.backward()
        return {name: value.grad.clone() for name, value in model.named_parameters() if value.grad is not None}

    # Dropout is off, training mode on: checkpointing works in no other.
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    model.train()
    plain = gradients()
    calls = []
    model.gradient_checkpointing_enable()
    layer = model.ernie.encoder.layer[0].intermediate
    layer.register_forward_hook(lambda *_: calls.append(1))
    again = gradients()
    assert len(calls) == 2, "the layer is computed once more on the way back"
    assert plain.keys() == again.keys() and all(torch.allclose(plain[name], again[name], atol=1e-6) for name in plain)
    # DistributedDataParallel would wait for a gradient of these.
    assert {name for name, _ in model.named_parameters()} - plain.keys() == {*model._ddp_params_and_buffers_to_ignore}


def test_outputs_are_those_of_other_classes(model: Any) -> None:
    with torch.no_grad():
        output = model(input_ids=IDS, output_hidden_states=True)
        as_tuple = model(input_ids=IDS, output_hidden_states=True, return_dict=False)
    assert output.loss is None and len(output.hidden_states) == 3
    assert len(as_tuple) == 3 and torch.allclose(as_tuple[0], output.start_logits, atol=1e-6)
    assert torch.allclose(as_tuple[1], output.end_logits, atol=1e-6)
    model.set_attn_implementation("eager")
    with torch.no_grad():
        attentions = model(input_ids=IDS, output_attentions=True).attentions
    assert [tuple(one.shape) for one in attentions] == [(2, 4, 7, 7)] * 2
    assert float(attentions[0][1, :, :, 5:].max()) == 0.0  # [PAD] is hidden where no mask is given


def test_padding_has_no_influence(model: Any) -> None:
    shown = (IDS != 0).long()
    with torch.no_grad():
        padded = model(input_ids=IDS, attention_mask=shown).start_logits[1, :5]
        alone = model(input_ids=IDS[1:, :5]).start_logits[0]
    assert torch.allclose(padded, alone, atol=1e-6)


def test_what_cannot_be_meant_is_refused(model: Any) -> None:
    embeds = torch.zeros(2, 7, 16)
    for inputs in ({}, {"input_ids": IDS, "inputs_embeds": embeds}):
        with pytest.raises(ValueError, match="input_ids or inputs_embeds"):
            model(**inputs)
    with pytest.raises(ValueError, match=r"end_positions has shape \[2\], expected \[2, 7\]"):
        model(input_ids=IDS, start_positions=IDS, end_positions=torch.tensor([1, 2]))
