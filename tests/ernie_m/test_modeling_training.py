"""What users of transformers do with a model: train, checkpoint gradients, compile, resize, spread over devices."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch

IDS = torch.tensor([[0, 7, 8, 9, 10, 2], [0, 11, 12, 2, 5, 6]])
HEADS = {
    "ErnieMForSequenceClassification": {"labels": torch.tensor([0, 1])},
    "ErnieMForTokenClassification": {"labels": torch.zeros_like(IDS)},
    "ErnieMForQuestionAnswering": {"start_positions": torch.tensor([1, 2]), "end_positions": torch.tensor([2, 3])},
    "ErnieMForInformationExtraction": {"start_positions": (IDS == 7).float(), "end_positions": (IDS == 8).float()},
    "ErnieMForMaskedLM": {"labels": torch.where(IDS == 11, 7, -100)},
}


def gradients(model: Any, **inputs: Any) -> dict[str, torch.Tensor]:
    model.zero_grad()
    model(IDS, **inputs).loss.backward()
    return {name: parameter.grad.clone() for name, parameter in model.named_parameters() if parameter.grad is not None}


@pytest.mark.filterwarnings("ignore:.*gradient_checkpointing.*:FutureWarning")
@pytest.mark.parametrize("reentrant", [True, False])
@pytest.mark.parametrize("name", HEADS)
def test_gradient_checkpointing_changes_no_gradient(tiny: Any, name: str, reentrant: bool) -> None:
    fields = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    model = tiny(name, **fields).train()
    plain = gradients(model, **HEADS[name])
    calls = 0

    def count(*_: Any) -> None:
        nonlocal calls
        calls += 1

    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": reentrant})
    model.ernie_m.encoder.layers[1].linear1.register_forward_hook(count)
    checkpointed = gradients(model, **HEADS[name])
    assert calls == 2, "the layer ran again in the backward pass"
    assert plain.keys() == checkpointed.keys()
    assert all(torch.allclose(plain[key], checkpointed[key], atol=1e-6) for key in plain)
    assert len(model(IDS, output_hidden_states=True).hidden_states) == 3


@pytest.mark.parametrize("attn", ["eager", "sdpa"])
def test_dropout_acts_where_paddle_has_it_and_in_training_only(tiny: Any, attn: str) -> None:
    """Quirk 11: embeddings, attention probabilities, behind out_proj and linear2; not between linear1 and linear2."""
    off = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "attn_implementation": attn}
    for field in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
        model = tiny(**{**off, field: 0.5})
        still = model(IDS).last_hidden_state
        assert torch.equal(still, model(IDS).last_hidden_state)
        assert not torch.allclose(still, model.train()(IDS).last_hidden_state)
    model = tiny(**off).train()
    assert torch.equal(model(IDS).last_hidden_state, model.eval()(IDS).last_hidden_state)
    layer = tiny(hidden_dropout_prob=0.5).encoder.layers[0]
    assert (layer.dropout.p, layer.dropout1.p, layer.dropout2.p) == (0.0, 0.5, 0.5)


@pytest.mark.parametrize("attn", ["eager", "sdpa"])
def test_each_dropout_alone_changes_what_training_sees(tiny: Any, attn: str) -> None:
    model = tiny("ErnieMForTokenClassification", attn_implementation=attn).train()
    dropouts = {name: part for name, part in model.named_modules() if isinstance(part, torch.nn.Dropout)}
    ends = ["dropout", "self_attn.dropout", "dropout1", "dropout2"]
    layers = [f"ernie_m.encoder.layers.{number}.{end}" for number in range(2) for end in ends]
    assert sorted(dropouts) == sorted(["dropout", "ernie_m.embeddings.dropout", *layers])
    for part in dropouts.values():
        part.p = 0.0
    still = model(IDS).logits
    for name, part in dropouts.items():
        part.p = 0.5
        assert not torch.allclose(still, model(IDS).logits), name
        part.p = 0.0
    assert torch.equal(still, model(IDS).logits)


@pytest.mark.parametrize("attn", ["eager", "sdpa"])
def test_the_base_model_compiles_without_a_graph_break(tiny: Any, attn: str) -> None:
    """The checks that look at values and the warning are left out of the graph; sizes stay free."""
    model = tiny(attn_implementation=attn, num_hidden_layers=1)
    for first in ({}, {"attention_mask": torch.ones_like(IDS)}, {"position_ids": torch.arange(6)[None]}):
        torch._dynamo.reset()
        compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
        with torch.no_grad():
            assert torch.allclose(compiled(IDS, **first)[0], model(IDS, **first)[0], atol=1e-5)
    with torch.no_grad():
        for batch, length in ((2, 6), (3, 9), (4, 11), (7, 12), (8, 13)):
            ids = torch.randint(2, 60, (batch, length))
            assert torch.allclose(compiled(ids)[0], model(ids)[0], atol=1e-5)
    torch._dynamo.reset()


def test_the_base_model_can_be_exported(tiny: Any) -> None:
    model = tiny()
    exported = torch.export.export(model, (IDS,), strict=False).module()
    assert torch.allclose(exported(IDS)[0], model(IDS)[0], atol=1e-6)


def test_embeddings_can_be_resized_and_replaced(tiny: Any) -> None:
    model = tiny("ErnieMForTokenClassification")
    before = model(IDS).logits
    with pytest.raises(ValueError, match="allowed are 0 to 59"):
        model(torch.tensor([[64]]))
    model.resize_token_embeddings(65)
    assert model.config.vocab_size == 65 and torch.equal(model(IDS).logits, before)
    assert model(torch.tensor([[64]])).logits.shape == (1, 1, 2)
    model.config.check_values()
    replacement = torch.nn.Embedding(70, 16)
    model.set_input_embeddings(replacement)
    assert model.get_input_embeddings() is replacement is model.ernie_m.embeddings.word_embeddings
    assert model(torch.tensor([[69]])).logits.shape == (1, 1, 2)


def test_attention_implementation_can_change_after_the_model_is_built(tiny: Any) -> None:
    model = tiny(attn_implementation="sdpa")
    by_sdpa = model(IDS).last_hidden_state
    model.set_attn_implementation("eager")
    assert model.config._attn_implementation == "eager"
    assert torch.allclose(by_sdpa, model(IDS).last_hidden_state, atol=1e-5)
    for refused in ("flash_attention_2", "flex_attention"):
        with pytest.raises((ValueError, ImportError)):
            tiny(attn_implementation=refused)


def test_attentions_are_shown_whatever_the_implementation(tiny: Any) -> None:
    by_sdpa, by_eager = (tiny(attn_implementation=attn)(IDS, output_attentions=True) for attn in ("sdpa", "eager"))
    assert all(torch.equal(a, b) for a, b in zip(by_sdpa.attentions, by_eager.attentions, strict=True))


def test_sdpa_is_torchs_own_unless_attentions_are_asked_for(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    attend, calls = torch.nn.functional.scaled_dot_product_attention, []
    monkeypatch.setattr(
        torch.nn.functional, "scaled_dot_product_attention", lambda *args: (calls.append(1), attend(*args))[1]
    )
    for attn, flags, expected in (("sdpa", {}, 2), ("sdpa", {"output_attentions": True}, 0), ("eager", {}, 0)):
        calls.clear()
        tiny(attn_implementation=attn)(IDS, **flags)
        assert len(calls) == expected


def test_flags_of_the_configuration_are_the_defaults_of_a_call(tiny: Any) -> None:
    model = tiny(output_hidden_states=True, attn_implementation="eager")
    assert len(model(IDS).hidden_states) == 3 and model(IDS, output_hidden_states=False).hidden_states is None
    model.config.return_dict = False
    assert isinstance(model(IDS), tuple)


def test_what_a_device_map_must_not_split(tiny: Any) -> None:
    model = tiny("ErnieMForTokenClassification")
    assert set(model.ernie_m._no_split_modules) == {"ErnieMEmbeddings", "ErnieMEncoderLayer"}
    assert {type(m).__name__ for m in model.modules()} >= {"ErnieMEmbeddings", "ErnieMEncoderLayer"}


@pytest.mark.parametrize("name", HEADS)
def test_blocks_may_lie_on_different_devices(tiny: Any, name: str) -> None:
    """As a device_map spreads them: each block moves what it is given, and nothing else does. meta is the second."""

    def to_second(_: Any, args: Any, kwargs: Any) -> Any:
        args = tuple(value.to("meta") if isinstance(value, torch.Tensor) else value for value in args)
        return args, {
            key: value.to("meta") if isinstance(value, torch.Tensor) else value for key, value in kwargs.items()
        }

    model = tiny(name)
    blocks = [*model.ernie_m.encoder.layers[1:], *(part for part in model.children() if part is not model.ernie_m)]
    for block in [*blocks, *([model.ernie_m.pooler] if model.ernie_m.pooler else [])]:
        block.to("meta").register_forward_pre_hook(to_second, with_kwargs=True)
    for mask in ({}, {"attention_mask": torch.ones_like(IDS)}, {"attention_mask": torch.ones(2, 1, 6, 6)}):
        output = model(IDS, **mask, **HEADS[name], output_hidden_states=True, output_attentions=True)
        assert [state.device.type for state in output.hidden_states] == ["cpu", "cpu", "meta"]
        assert output.loss.device.type == "meta" and output.loss.shape == ()


@pytest.mark.parametrize("name", HEADS)
def test_the_trainer_finds_labels_and_keeps_the_mean(tiny: Any, name: str) -> None:
    """It reads the signature: its labels, and whether the loss wants to be told the size of the whole batch."""
    model = tiny(name)
    assert set(HEADS[name]) <= set(inspect.signature(model.forward).parameters)
    assert model.accepts_loss_kwargs is (name == "ErnieMForMaskedLM")  # which takes num_items_in_batch
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    first = model(IDS, **HEADS[name]).loss.item()
    for _ in range(8):
        optimizer.zero_grad()
        model(IDS, **HEADS[name]).loss.backward()
        optimizer.step()
    assert model(IDS, **HEADS[name]).loss.item() < first
