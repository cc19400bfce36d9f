"""What transformers' common tests ask of every model, asked of ours, class by class (see common_suite.py)."""

from __future__ import annotations

import copy
import io
from pathlib import Path
from typing import Any

import pytest
import torch

import ernie_m

BATCH, LENGTH, CHOICES, HIDDEN, HEADS, LAYERS = 3, 7, 2, 16, 4, 2
MARKS = torch.eye(LENGTH)[:BATCH]
LABELS: dict[str, dict[str, torch.Tensor]] = {
    "ErnieMModel": {},
    "ErnieMForSequenceClassification": {"labels": torch.tensor([0, 1, 1])},
    "ErnieMForMultipleChoice": {"labels": torch.tensor([0, 1, 1])},
    "ErnieMForTokenClassification": {"labels": torch.ones(BATCH, LENGTH, dtype=torch.long)},
    "ErnieMForQuestionAnswering": {
        "start_positions": torch.tensor([1, 2, 0]),
        "end_positions": torch.tensor([3, 2, 1]),
    },
    "ErnieMForInformationExtraction": {"start_positions": MARKS, "end_positions": MARKS.flip(1)},
    "ErnieMForMaskedLM": {"labels": torch.where(MARKS.bool(), 9, -100)},
}
CLASSES = list(LABELS)
TRAINED = CLASSES[1:]

#: Tensors that were loaded lie elsewhere in memory, and kernels that go by alignment round the last bits otherwise on
#: some processors. The tensors themselves are compared exactly.
LAST_BITS = 2e-6


def inputs_for(name: str, labels: bool = False) -> dict[str, torch.Tensor]:
    """Texts of three lengths with their mask, and labels if asked for."""
    torch.manual_seed(7)
    leading = (BATCH, CHOICES) if name == "ErnieMForMultipleChoice" else (BATCH,)
    ids = torch.randint(4, 60, (*leading, LENGTH))
    mask = torch.ones_like(ids)
    mask[1, ..., 4:] = mask[2, ..., 6:] = 0
    return {"input_ids": ids, "attention_mask": mask, **(LABELS[name] if labels else {})}


def flat(output: Any) -> list[torch.Tensor]:
    parts = output.to_tuple() if hasattr(output, "to_tuple") else output
    return [tensor for part in parts for tensor in (part if isinstance(part, tuple) else (part,))]


def assert_equal(ours: Any, other: Any, tolerance: float = 0.0) -> None:
    pairs = list(zip(flat(ours), flat(other), strict=True))
    assert pairs
    for one, two in pairs:
        assert torch.allclose(one, two, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("attn", ["eager", "sdpa"])
@pytest.mark.parametrize("name", CLASSES)
def test_two_calls_and_two_saves_are_equal(tiny: Any, name: str, attn: str, tmp_path: Path) -> None:
    model, inputs = tiny(name, attn_implementation=attn), inputs_for(name)
    first = model(**inputs)
    assert_equal(first, model(**inputs))
    model.save_pretrained(tmp_path)
    loaded, report = getattr(ernie_m, name).from_pretrained(
        tmp_path, attn_implementation=attn, output_loading_info=True
    )
    assert not any(report.values()), report
    assert not loaded.training
    assert_equal(list(model.state_dict().values()), list(loaded.state_dict().values()))
    assert_equal(first, loaded(**inputs), LAST_BITS)


@pytest.mark.parametrize("name", CLASSES)
def test_a_state_survives_torch_save(tiny: Any, name: str) -> None:
    model, other, file = tiny(name), tiny(name, seed=1), io.BytesIO()
    with pytest.raises(AssertionError):
        assert_equal(model(**inputs_for(name)), other(**inputs_for(name)))
    torch.save(model.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file, weights_only=True))
    assert_equal(model(**inputs_for(name)), other(**inputs_for(name)))


@pytest.mark.parametrize("name", CLASSES)
def test_hidden_states_and_attentions_have_their_shapes(tiny: Any, name: str) -> None:
    inputs = inputs_for(name)
    rows = inputs["input_ids"].shape[:-1].numel()
    by_call = tiny(name)(**inputs, output_hidden_states=True, output_attentions=True)
    by_config = tiny(name, output_hidden_states=True, attn_implementation="eager", output_attentions=True)(**inputs)
    for output in (by_call, by_config):
        assert [tuple(state.shape) for state in output.hidden_states] == [(rows, LENGTH, HIDDEN)] * (LAYERS + 1)
        assert [tuple(part.shape) for part in output.attentions] == [(rows, HEADS, LENGTH, LENGTH)] * LAYERS
        assert_equal(by_call.hidden_states, output.hidden_states)
    assert "hidden_states" not in tiny(name)(**inputs) and "attentions" not in tiny(name)(**inputs)


@pytest.mark.parametrize("name", CLASSES)
def test_hidden_states_and_attentions_keep_their_gradients(tiny: Any, name: str) -> None:
    output = tiny(name)(**inputs_for(name), output_hidden_states=True, output_attentions=True)
    for tensor in (output.hidden_states[0], output.attentions[0]):
        tensor.retain_grad()
    flat(output)[0].flatten()[0].backward(retain_graph=True)
    assert output.hidden_states[0].grad.abs().max() > 0 and output.attentions[0].grad.abs().max() > 0


@pytest.mark.parametrize("labels", [False, True])
@pytest.mark.parametrize("name", CLASSES)
def test_tuples_hold_what_dictionaries_hold(tiny: Any, name: str, labels: bool) -> None:
    model, inputs = tiny(name), inputs_for(name, labels)
    for flags in ({}, {"output_hidden_states": True, "output_attentions": True}):
        named, bare = model(**inputs, **flags), model(**inputs, **flags, return_dict=False)
        assert isinstance(bare, tuple) and len(bare) == len(named)
        assert_equal(named, bare)
        assert ("loss" in named) == (labels and name in TRAINED)


@pytest.mark.parametrize("name", CLASSES)
def test_embeddings_give_what_their_ids_give(tiny: Any, name: str) -> None:
    model, inputs = tiny(name), inputs_for(name)
    ids = inputs.pop("input_ids")
    embeds = model.get_input_embeddings()(ids)
    assert_equal(model(input_ids=ids, **inputs), model(inputs_embeds=embeds, **inputs))


@pytest.mark.parametrize("attn", ["eager", "sdpa"])
@pytest.mark.parametrize("name", CLASSES)
def test_a_row_of_a_batch_is_what_it_is_alone(tiny: Any, name: str, attn: str) -> None:
    """With an explicit mask, without padding where the text is alone; only the tokens that the mask shows."""
    model, inputs = tiny(name, attn_implementation=attn).double(), inputs_for(name)
    together = model(**inputs)
    for row, length in ((0, LENGTH), (1, 4), (2, 6)):
        alone = model(inputs["input_ids"][row : row + 1, ..., :length])
        masked = model(
            inputs["input_ids"][row : row + 1, ..., :length], torch.ones_like(inputs["input_ids"])[:1, ..., :length]
        )
        for key, value in masked.items():
            by_token = (
                name not in ("ErnieMForSequenceClassification", "ErnieMForMultipleChoice") and key != "pooler_output"
            )
            expected = together[key][row, :length] if by_token else together[key][row]
            assert torch.allclose(value[0], expected, rtol=1e-9, atol=1e-10), key
            assert alone[key].shape == value.shape


@pytest.mark.parametrize("name", TRAINED)
def test_every_parameter_that_the_loss_sees_gets_a_gradient(tiny: Any, name: str) -> None:
    """Information extraction has a pooler that nothing reads, as Paddle's has; some biases are unseen by a softmax."""
    model = tiny(name).train()
    model(**inputs_for(name, labels=True)).loss.backward()
    without = {key for key, parameter in model.named_parameters() if parameter.grad is None}
    unread = {"ernie_m.pooler.dense.weight", "ernie_m.pooler.dense.bias"}
    assert without == (unread if name == "ErnieMForInformationExtraction" else set())
    noise = ("k_proj.bias", "qa_outputs.bias", *(["classifier.bias"] if name == "ErnieMForMultipleChoice" else []))
    for key, parameter in model.named_parameters():
        assert key in without or key.endswith(noise) or parameter.grad.abs().max() > 0, key


@pytest.mark.parametrize("name", [name for name in CLASSES if name != "ErnieMForMaskedLM"])
def test_no_weight_is_tied_and_none_is_a_buffer(tiny: Any, name: str) -> None:
    model = tiny(name)
    pointers = [parameter.data_ptr() for parameter in model.parameters()]
    assert len(set(pointers)) == len(pointers)
    assert not dict(model.named_buffers()) and not getattr(model, "_tied_weights_keys", None)
    assert model.get_output_embeddings() is None
    assert all(parameter.is_contiguous() for parameter in model.parameters())


@pytest.mark.parametrize("name", CLASSES)
def test_new_weights_are_in_their_range(tiny: Any, name: str) -> None:
    """With a range of almost nothing every weight is almost 0 and every norm exactly 1 and 0."""
    for key, parameter in tiny(name, initializer_range=1e-10).named_parameters():
        middle = 1.0 if "norm" in key and key.endswith("weight") else 0.0
        assert (parameter - middle).abs().max() < 1e-9, key


@pytest.mark.parametrize("name", CLASSES)
def test_vocabulary_and_classes_can_change(tiny: Any, name: str, tmp_path: Path) -> None:
    model, inputs = tiny(name), inputs_for(name)
    before = model(**inputs)
    original = model.get_input_embeddings().weight.clone()
    for size in (70, 50):  # 60 at first
        model.resize_token_embeddings(size)
        assert model.config.vocab_size == size == model.get_input_embeddings().num_embeddings
        kept = min(size, 60)
        assert torch.equal(model.get_input_embeddings().weight[:kept], original[:kept])
    inputs["input_ids"] = inputs["input_ids"].clamp(max=49)
    smaller = model(**inputs)
    assert smaller.keys() == before.keys()
    model.save_pretrained(tmp_path)
    loaded = getattr(ernie_m, name).from_pretrained(tmp_path)
    assert_equal(list(model.state_dict().values()), list(loaded.state_dict().values()))
    assert_equal(smaller, loaded(**inputs), LAST_BITS)


@pytest.mark.parametrize("name", ["ErnieMForSequenceClassification", "ErnieMForTokenClassification"])
def test_a_head_of_another_size_is_made_anew_only_where_asked(tiny: Any, name: str, tmp_path: Path) -> None:
    model = tiny(name)
    model.save_pretrained(tmp_path)
    with pytest.raises(RuntimeError, match=r"(?s)mismatch"):
        getattr(ernie_m, name).from_pretrained(tmp_path, num_labels=5)
    other = getattr(ernie_m, name).from_pretrained(tmp_path, num_labels=5, ignore_mismatched_sizes=True)
    assert other.classifier.out_features == 5 and other.config.num_labels == 5
    assert torch.equal(other.get_input_embeddings().weight, model.get_input_embeddings().weight)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("attn", ["eager", "sdpa"])
@pytest.mark.parametrize("name", CLASSES)
def test_half_precision_computes_and_learns(tiny: Any, name: str, attn: str, dtype: torch.dtype) -> None:
    exact = tiny(name, attn_implementation=attn, initializer_range=0.1)
    half = copy.deepcopy(exact).to(dtype)
    for given, expected in zip(flat(half(**inputs_for(name))), flat(exact(**inputs_for(name))), strict=True):
        assert given.dtype == dtype
        assert (given.float() - expected).abs().max() / expected.abs().max() < 0.1
    if name in TRAINED:
        loss = half(**inputs_for(name, labels=True)).loss
        loss.backward()
        gradients = [parameter.grad for parameter in half.parameters() if parameter.grad is not None]
        assert torch.isfinite(loss) and all(torch.isfinite(gradient).all() for gradient in gradients)


@pytest.mark.parametrize("name", CLASSES)
def test_models_can_be_made_without_memory(tiny: Any, name: str, tmp_path: Path) -> None:
    """On the meta device, as device_map and low-memory loading do; the numbers come with the file."""
    model = tiny(name)
    model.save_pretrained(tmp_path)
    with torch.device("meta"):
        empty = getattr(ernie_m, name)(model.config)
    assert {parameter.device.type for parameter in empty.parameters()} == {"meta"}
    assert [key for key, _ in empty.named_parameters()] == [key for key, _ in model.named_parameters()]
    empty.load_state_dict(model.state_dict(), assign=True)
    assert_equal(model(**inputs_for(name)), empty.eval()(**inputs_for(name)))


@pytest.mark.parametrize("name", CLASSES)
def test_the_main_input_and_the_base_model_have_their_usual_names(tiny: Any, name: str) -> None:
    model = tiny(name)
    assert model.main_input_name == "input_ids" and model.base_model_prefix == "ernie_m"
    assert model.base_model is (model if name == "ErnieMModel" else model.ernie_m)
    assert not model.can_generate()


@pytest.mark.parametrize("name", TRAINED)
def test_frozen_embeddings_still_pass_gradients_to_adapters(tiny: Any, name: str) -> None:
    """enable_input_require_grads, which adapters with gradient checkpointing need."""
    model = tiny(name)
    model.requires_grad_(False)
    model.enable_input_require_grads()
    assert flat(model(**inputs_for(name)))[0].requires_grad
