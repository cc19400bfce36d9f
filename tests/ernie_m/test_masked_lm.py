"""The masked LM: which rows the head sees, what is tied, what a file holds, and what fill-mask answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional
from transformers import AutoModelForMaskedLM

import ernie_m

IDS = torch.tensor([[0, 7, 8, 9, 10, 2], [0, 11, 12, 2, 5, 6]])
LABELS = torch.full_like(IDS, -100)
LABELS[0, 2], LABELS[1, 0], LABELS[1, 5] = 13, 0, 59
WORDS, DECODER = "ernie_m.embeddings.word_embeddings.weight", "lm_head.decoder.weight"


@pytest.fixture
def masked(tiny: Any) -> Any:
    """A model in float64 whose bias is not the zeros of a new one, without dropout."""
    model = tiny("ErnieMForMaskedLM", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0).double()
    torch.nn.init.normal_(model.lm_head.bias)
    torch.nn.init.normal_(model.lm_head.dense.bias)
    return model


def by_hand(model: Any, states: torch.Tensor) -> torch.Tensor:
    """The head in torch's functions: dense, gelu, LayerNorm with Paddle's epsilon, the table of words, bias."""
    weights = model.state_dict()
    states = functional.gelu(states @ weights["lm_head.dense.weight"].T + weights["lm_head.dense.bias"])
    norm = weights["lm_head.layer_norm.weight"], weights["lm_head.layer_norm.bias"]
    states = functional.layer_norm(states, (16,), *norm, eps=9.999999747378752e-06)
    return states @ weights[WORDS].T + weights["lm_head.bias"]


def test_the_head_is_dense_gelu_norm_and_the_table_of_words(masked: Any) -> None:
    states = masked.ernie_m(IDS).last_hidden_state
    assert masked.ernie_m.pooler is None
    torch.testing.assert_close(masked(IDS).logits, by_hand(masked, states), rtol=1e-12, atol=1e-12)
    for name in ("lm_head.dense.bias", "lm_head.layer_norm.bias", "lm_head.bias"):
        before = masked(IDS).logits
        masked.get_parameter(name).data[3] += 0.5
        assert not torch.equal(before, masked(IDS).logits), name


def test_the_loss_is_the_mean_over_the_labelled_positions(masked: Any) -> None:
    """Their labels may be id 0; -100 is in neither the sum nor the count, unlike in Paddle's cross entropy."""
    output = masked(IDS, labels=LABELS)
    rows = masked(IDS).logits[LABELS != -100]
    expected = -rows.log_softmax(-1)[torch.arange(3), torch.tensor([13, 0, 59])].mean()
    torch.testing.assert_close(output.loss, expected, rtol=1e-12, atol=0)
    assert output.logits.shape == (2, 6, 60)


def test_in_training_the_head_sees_the_labelled_positions_alone(masked: Any) -> None:
    seen: list[torch.Size] = []
    masked.lm_head.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].shape))
    full = masked(IDS, labels=LABELS)
    masked.train()
    rows, whole, unlabelled = masked(IDS, labels=LABELS), masked(IDS, labels=LABELS, full_logits=True), masked(IDS)
    masked.eval()
    asked = masked(IDS, labels=LABELS, full_logits=False)
    assert [tuple(shape) for shape in seen] == [(2, 6, 16), (3, 16), (2, 6, 16), (2, 6, 16), (3, 16)]
    assert unlabelled.loss is None and unlabelled.logits.shape == whole.logits.shape == (2, 6, 60)
    for output in (rows, asked):
        torch.testing.assert_close(output.logits, full.logits[LABELS != -100], rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(output.loss, full.loss, rtol=1e-12, atol=0)
    torch.testing.assert_close(whole.logits, full.logits, rtol=1e-12, atol=1e-12)


def test_gradients_are_the_same_by_rows_and_by_all_positions(masked: Any) -> None:
    found = []
    for full in (True, False):
        masked.zero_grad()
        masked(IDS, labels=LABELS, full_logits=full).loss.backward()
        found.append({name: parameter.grad.clone() for name, parameter in masked.named_parameters()})
    for name, gradient in found[0].items():
        torch.testing.assert_close(found[1][name], gradient, rtol=1e-10, atol=1e-12)


def test_the_gradient_of_the_words_has_the_lookup_and_the_decoder(masked: Any) -> None:
    words = masked.get_parameter(WORDS)
    whole = torch.autograd.grad(masked(IDS, labels=LABELS).loss, words)[0]
    states = masked.ernie_m(IDS).last_hidden_state
    table = words.detach().clone().requires_grad_()
    head = masked.lm_head
    logits = head.layer_norm(head.activation(head.dense(states))) @ table.T + head.bias
    loss = functional.cross_entropy(logits[LABELS != -100], LABELS[LABELS != -100])
    lookup, decoder = torch.autograd.grad(loss, [words, table])
    torch.testing.assert_close(whole, lookup + decoder, rtol=1e-10, atol=1e-12)
    assert lookup[7].abs().max() > 0 == lookup[30].abs().max() and decoder[30].abs().max() > 0


def test_the_count_of_a_whole_batch_divides_the_sum(masked: Any) -> None:
    """What the Trainer passes: a batch cut in two, with its count, gives the mean of the whole."""
    whole = masked(IDS, labels=LABELS).loss
    for count in (3, torch.tensor(3)):
        parts = [masked(IDS[i : i + 1], labels=LABELS[i : i + 1], num_items_in_batch=count).loss for i in (0, 1)]
        torch.testing.assert_close(sum(parts), whole, rtol=1e-12, atol=0)
        assert not torch.allclose(sum(masked(IDS[i : i + 1], labels=LABELS[i : i + 1]).loss for i in (0, 1)) / 2, whole)


@pytest.mark.parametrize("labels", [LABELS[:, :5], LABELS[0], LABELS.flatten()])
def test_labels_of_another_shape_are_refused(masked: Any, labels: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"labels has shape .*, expected \[2, 6\]"):
        masked(IDS, labels=labels)


def test_words_and_bias_are_tied_and_written_once(masked: Any, tmp_path: Path) -> None:
    def assert_tied(model: Any) -> None:
        assert model.get_output_embeddings() is model.lm_head.decoder
        assert model.lm_head.decoder.weight is model.get_parameter(WORDS)
        assert model.lm_head.decoder.bias is model.lm_head.bias

    assert_tied(masked)
    masked.save_pretrained(tmp_path)
    written = load_file(tmp_path / "model.safetensors")
    assert WORDS in written and "lm_head.bias" in written
    assert DECODER not in written and "lm_head.decoder.bias" not in written
    assert "pooler" not in " ".join(written)
    loaded, report = ernie_m.ErnieMForMaskedLM.from_pretrained(tmp_path, output_loading_info=True, dtype="auto")
    assert not any(report.values()), report
    assert_tied(loaded)
    torch.testing.assert_close(loaded.eval()(IDS).logits, masked(IDS).logits, rtol=1e-12, atol=1e-12)


def test_a_larger_vocabulary_has_a_longer_bias(masked: Any) -> None:
    before, bias = masked(IDS).logits, masked.lm_head.bias.detach().clone()
    masked.resize_token_embeddings(70)
    assert masked.lm_head.bias.shape == (70,) and masked.lm_head.decoder.bias is masked.lm_head.bias
    assert torch.equal(masked.lm_head.bias[:60], bias)
    torch.testing.assert_close(masked(IDS).logits[..., :60], before, rtol=1e-12, atol=1e-12)


def test_a_decoder_of_its_own_is_refused(tiny: Any) -> None:
    assert ernie_m.ErnieMConfig().tie_word_embeddings is True
    with pytest.raises(ValueError, match="tie_word_embeddings is False, expected True"):
        tiny("ErnieMForMaskedLM", tie_word_embeddings=False)


def test_a_head_of_random_numbers_is_made_only_where_asked(tiny: Any, tmp_path: Path) -> None:
    """Else fill-mask would answer with any words. AttributeError, after which `pipeline` tries no other class."""
    tiny().save_pretrained(tmp_path)
    with pytest.raises(AttributeError, match=r"no masked-LM head here, .*lm_head.dense.weight.*pass new_head=True"):
        AutoModelForMaskedLM.from_pretrained(tmp_path)
    model, report = ernie_m.ErnieMForMaskedLM.from_pretrained(tmp_path, new_head=True, output_loading_info=True)
    head = {
        f"lm_head.{name}" for name in ("bias", "dense.weight", "dense.bias", "layer_norm.weight", "layer_norm.bias")
    }
    assert set(report["missing_keys"]) - {"lm_head.decoder.bias"} == head
    assert torch.equal(model.lm_head.bias, torch.zeros(60))
    assert torch.equal(model.get_parameter(WORDS), tiny().embeddings.word_embeddings.weight)
    model.save_pretrained(tmp_path / "head")
    assert type(AutoModelForMaskedLM.from_pretrained(tmp_path / "head")) is ernie_m.ErnieMForMaskedLM
    written = load_file(tmp_path / "head" / "model.safetensors")
    save_file(
        {name: value for name, value in written.items() if "dense.bias" not in name},
        tmp_path / "head" / "model.safetensors",
        {"format": "pt"},
    )
    with pytest.raises(AttributeError, match=r"Missing: lm_head.dense.bias\."):
        AutoModelForMaskedLM.from_pretrained(tmp_path / "head")
