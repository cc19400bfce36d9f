"""`skip_padding`: the numbers of texts stay, nothing is computed for padding."""

from __future__ import annotations

from typing import Any

import pytest
import torch

IDS = torch.tensor([[0, 7, 8, 9, 10, 2], [0, 11, 12, 2, 1, 1], [0, 5, 2, 1, 6, 2]])
MASK = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0], [1, 1, 1, 0, 1, 1]])
LABELS = torch.tensor([[1, 0, 1, 0, 1, 0], [0, 1, 1, 0, -100, -100], [1, 1, 0, -100, 1, 0]])


def both(tiny: Any, name: str = "ErnieMModel", attn: str = "sdpa", **fields: Any) -> tuple[Any, Any]:
    """The same model twice, in float64; the second skips padding."""
    models = [tiny(name, **fields).double() for _ in range(2)]
    for model in models:
        model.set_attn_implementation(attn)
    models[1].skip_padding()
    return models[0], models[1]


def rows_of_layers(model: Any) -> list[int]:
    """How many tokens each call of the first linear layer gets."""
    found: list[int] = []
    layer = getattr(model, "ernie_m", model).encoder.layers[0].linear1
    layer.register_forward_pre_hook(lambda module, inputs: found.append(inputs[0].shape[:-1].numel()))
    return found


@pytest.mark.parametrize("attn", ["eager", "sdpa"])
@pytest.mark.parametrize("kind", [torch.int64, torch.bool, torch.float32])
def test_texts_have_the_same_numbers_and_padding_zeros(tiny: Any, attn: str, kind: torch.dtype) -> None:
    plain, skipping = both(tiny, attn=attn)
    rows = rows_of_layers(skipping)
    expected, found = (model(IDS, MASK.to(kind), output_hidden_states=True) for model in (plain, skipping))
    assert rows == [int(MASK.sum())]
    assert torch.allclose(found.pooler_output, expected.pooler_output, rtol=0, atol=1e-13)
    for mine, whole in zip(found.hidden_states, expected.hidden_states):
        assert torch.allclose(mine[MASK == 1], whole[MASK == 1], rtol=0, atol=1e-13)
        assert not mine[MASK == 0].any()
    assert found.last_hidden_state is found.hidden_states[-1] and len(found.hidden_states) == 3


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("name", ["SequenceClassification", "TokenClassification"])
def test_the_loss_and_every_gradient_are_the_same(tiny: Any, name: str, checkpointing: bool) -> None:
    no_dropout = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    models = both(tiny, f"ErnieMFor{name}", **no_dropout)
    labels = LABELS if name == "TokenClassification" else LABELS[:, 0]
    for model in models:
        model.train()
        if checkpointing:
            model.gradient_checkpointing_enable()
        model(IDS, MASK, labels=labels).loss.backward()
    for (name, one), other in zip(models[0].named_parameters(), models[1].parameters()):
        assert torch.allclose(one.grad, other.grad, rtol=0, atol=1e-12), name


FIRST_HIDDEN = MASK.index_fill(1, torch.tensor([0]), 0)
WHOLE: dict[str, dict[str, Any]] = {
    "no mask": {},
    "nothing hidden": {"attention_mask": torch.ones_like(MASK)},
    "the first token hidden": {"attention_mask": FIRST_HIDDEN},
    "a fraction": {"attention_mask": MASK * 0.5 + 0.5},
    "more axes": {"attention_mask": MASK[:, None, None, :]},
    "attentions": {"attention_mask": MASK, "output_attentions": True},
}


@pytest.mark.parametrize("call", WHOLE)
def test_other_calls_are_computed_whole(tiny: Any, call: str) -> None:
    plain, skipping = both(tiny)
    rows = rows_of_layers(skipping)
    found, expected = (model(IDS, **WHOLE[call]).last_hidden_state for model in (skipping, plain))
    assert rows == [IDS.numel()] and torch.equal(found, expected)


def test_a_value_that_hides_less_is_computed_whole(tiny: Any) -> None:
    plain, skipping = both(tiny, attention_mask_value=-5.0)
    assert torch.equal(skipping(IDS, MASK).last_hidden_state, plain(IDS, MASK).last_hidden_state)


def test_it_can_be_taken_back_and_is_not_saved(tiny: Any) -> None:
    _, model = both(tiny, "ErnieMForSequenceClassification")
    assert "padding" not in str(model.config.to_dict())
    model.skip_padding(False)
    rows = rows_of_layers(model)
    model(IDS, MASK)
    assert rows == [IDS.numel()]


@pytest.mark.parametrize("name", ["QuestionAnswering", "InformationExtraction"])
def test_a_loss_that_reads_padding_refuses_it(tiny: Any, name: str) -> None:
    with pytest.raises(ValueError, match="read the logits at padding"):
        tiny(f"ErnieMFor{name}").skip_padding()
