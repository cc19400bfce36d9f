"""Masks: the fields that turn Paddle's rules off, the batch of 3-D masks, half precision, wrong shapes, the warning."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import torch

IDS = torch.tensor([[0, 7, 8, 9, 10, 2], [0, 11, 12, 2, 1, 1]])
SHOWN = (IDS != 1).long()


def state(model: Any, *args: Any, **kwargs: Any) -> torch.Tensor:
    with torch.no_grad():
        return model(*args, **kwargs).last_hidden_state


@pytest.mark.parametrize("attn", ["eager", "sdpa"])
def test_hiding_padding_too_gives_the_unpadded_numbers(reference: Any, difference: Any, attn: str) -> None:
    """implicit_mask_token_ids=[0, 1]: what most users of batches want, checked against Paddle's unpadded row."""
    padded = reference.inputs("base:no mask, padding")["input_ids"]
    alone = reference.outputs("base:no mask, the padded row alone")["last_hidden_state"]
    paddle = state(reference.model("base", attn), padded)[1:, :4]
    ours = state(reference.model("base", attn, implicit_mask_token_ids=[0, 1]), padded)[1:, :4]
    assert difference(ours, alone) < 1e-12
    assert difference(paddle, alone) > 0.1, "Paddle's own numbers depend on the padding"


@pytest.mark.parametrize("attn", ["eager", "sdpa"])
def test_the_list_of_hidden_ids_is_the_mask_that_it_says(tiny: Any, attn: str) -> None:
    for hidden in ([], [0], [1], [0, 1], [8, 12, 2]):
        model = tiny(implicit_mask_token_ids=hidden, attn_implementation=attn).double()
        mask = torch.ones_like(IDS)
        for token_id in hidden:
            mask[token_id == IDS] = 0
        assert torch.allclose(state(model, IDS), state(model, IDS, mask), rtol=1e-12, atol=1e-13), hidden


def test_a_mask_of_ones_is_not_the_same_as_no_mask(tiny: Any) -> None:
    model = tiny()
    assert (state(model, IDS) - state(model, IDS, torch.ones_like(IDS))).abs().max() > 0.1


def test_position_offset_is_a_field(tiny: Any) -> None:
    plain, shifted = tiny(position_offset=0).double(), tiny().double()
    assert torch.equal(state(plain, IDS, SHOWN, torch.arange(2, 8)), state(shifted, IDS, SHOWN))
    assert not torch.allclose(state(plain, IDS, SHOWN), state(shifted, IDS, SHOWN))


@pytest.mark.parametrize("attn", ["eager", "sdpa"])
def test_a_row_of_zeros_is_unmasked_unless_the_lowest_number_is_asked_for(tiny: Any, attn: str) -> None:
    """Quirk 5: -1e4 is a number; the dtype's minimum swallows the scores, and attention is then uniform."""
    nothing, everything = torch.zeros_like(IDS), torch.ones_like(IDS)
    paddle = tiny(attn_implementation=attn).double()
    assert torch.allclose(state(paddle, IDS, nothing), state(paddle, IDS, everything), rtol=1e-10, atol=1e-10)
    port = tiny(attention_mask_value=None, attn_implementation=attn).double()
    assert (state(port, IDS, nothing) - state(port, IDS, everything)).abs().max() > 0.1
    uniform = port(IDS, nothing, output_attentions=True).attentions[0]
    assert torch.allclose(uniform, torch.full_like(uniform, 1 / 6))


@pytest.mark.parametrize("attn", ["eager", "sdpa"])
def test_inputs_embeds_without_a_mask_hide_nothing(reference: Any, tiny: Any, attn: str) -> None:
    """Quirk 7: Paddle raises an obscure error; there are no ids that could say what to hide."""
    assert reference.facts["inputs_embeds without mask"] == "AttributeError"
    model = tiny(attn_implementation=attn)
    embeds = model.get_input_embeddings()(IDS).detach()
    without = state(model, inputs_embeds=embeds)
    assert torch.allclose(without, state(model, IDS, torch.ones_like(IDS)), atol=1e-5)


def test_3d_masks_belong_to_the_batch(tiny: Any) -> None:
    """Quirk 6: Paddle takes the first axis for the heads, which is right for a batch of 1 only."""
    model = tiny().double()
    mask = torch.rand(2, 6, 6) < 0.6
    mask[..., 0] = True
    together = state(model, IDS, mask)
    for row in range(2):
        assert torch.allclose(together[row], state(model, IDS[row : row + 1], mask[row : row + 1])[0], atol=1e-12)
    assert torch.equal(together, state(model, IDS, mask[:, None]))


@pytest.mark.parametrize("attn", ["eager", "sdpa"])
def test_minus_infinity_is_added_as_it_is(reference: Any, tiny: Any, attn: str) -> None:
    """Quirk 6: a float mask is the caller's; where it hides every key of a row, both sides are not a number."""
    assert reference.facts["a row of -inf"] is True
    hidden_row = torch.zeros(2, 1, 6, 6)
    hidden_row[1, 0, :, 3] = -torch.inf
    model = tiny(attn_implementation=attn)
    assert torch.allclose(state(model, IDS, hidden_row)[1], state(model, IDS, hidden_row == 0)[1], atol=1e-5)
    if attn == "eager":  # sdpa gives zeros where every key of a row is at -inf
        assert torch.isnan(state(model, IDS, hidden_row.fill_(-torch.inf))).all()


WRONG_MASKS = [(), (6,), (2, 5), (3, 6), (2, 1), (2, 5, 6), (2, 6, 1), (2, 3, 6, 6), (2, 1, 5, 6), (2, 1, 1, 1, 6)]


@pytest.mark.parametrize("shape", WRONG_MASKS, ids=str)
def test_masks_of_the_wrong_shape(tiny: Any, shape: tuple[int, ...]) -> None:
    with pytest.raises(
        ValueError, match=r"attention_mask has shape .*, expected \[2, 6\] or \[2, 6, 6\] or \[2, 4, 6, 6\] \(1 for any"
    ):
        tiny()(IDS, torch.ones(shape))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("attn", ["eager", "sdpa"])
def test_half_precision_runs_with_every_mask(tiny: Any, dtype: torch.dtype, attn: str) -> None:
    """Quirk 13: the port raises. No mask may reach -inf, which would make a row of nothing not a number."""
    exact, half = tiny(attn_implementation=attn, initializer_range=0.2), None
    nothing = torch.zeros(2, 1, 6, 6)
    masks = [None, SHOWN, torch.zeros_like(IDS), nothing.bool(), nothing.long(), nothing, nothing + torch.finfo().min]
    for field in (-10000.0, None):
        half = tiny(attn_implementation=attn, initializer_range=0.2, attention_mask_value=field).to(dtype)
        exact.config.attention_mask_value = field
        for mask in masks:
            ours = state(half, IDS, mask)
            assert ours.dtype == dtype and not torch.isnan(ours).any()
            if mask is None or mask is SHOWN:
                assert (ours.float() - state(exact, IDS, mask)).abs().max() < 0.15


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("attn", ["eager", "sdpa"])
def test_the_lowest_number_and_a_negative_score_are_not_infinity(tiny: Any, dtype: torch.dtype, attn: str) -> None:
    """Every key is the same and every score is about -100: a row that hides all keys still is their mean."""
    model = tiny(attn_implementation=attn, initializer_range=3.0)
    torch.nn.init.zeros_(model.embeddings.position_embeddings.weight)
    for layer in model.encoder.layers:
        layer.self_attn.self_attn.q_proj.weight.data = -layer.self_attn.self_attn.k_proj.weight.data
    model, ids = model.to(dtype), torch.full((1, 6), 7)
    everything, nothing = torch.zeros(1, 1, 6, 6), torch.full((1, 1, 6, 6), torch.finfo().min)
    assert torch.allclose(state(model, ids, nothing), state(model, ids, everything), atol=0.05)


@pytest.mark.parametrize("attn", ["eager", "sdpa"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_runs(tiny: Any, dtype: torch.dtype, attn: str) -> None:
    """Masks are fitted to the scores: -1e9 as fp16 would be -inf, where sdpa attends to nothing instead of to all."""
    model = tiny(attn_implementation=attn, initializer_range=0.2)
    half = tiny(attn_implementation=attn, initializer_range=0.2).to(dtype)
    for mask in (None, SHOWN, torch.zeros(2, 1, 6, 6).bool()):
        with torch.autocast("cpu", dtype):
            ours = state(model, IDS, mask)
        assert (ours.float() - state(half, IDS, mask).float()).abs().max() < 0.1


def test_padding_without_a_mask_warns_once(tiny: Any, caplog: pytest.LogCaptureFixture) -> None:
    model = tiny()
    with caplog.at_level(logging.WARNING):
        state(model, IDS[:1])
        state(model, IDS, SHOWN)
        assert not caplog.records, "no padding, or a mask: nothing to warn of"
        state(model, IDS)
        state(model, IDS)
    assert len(caplog.records) == 1
    message = caplog.records[0].getMessage()
    assert "[PAD] (1)" in message and "implicit_mask_token_ids=[0, 1]" in message and "[0] are hidden" in message


@pytest.mark.parametrize("fields", [{"implicit_mask_token_ids": [0, 1]}, {"pad_token_id": None}], ids=str)
def test_no_warning_where_padding_is_hidden_or_unknown(
    tiny: Any, caplog: pytest.LogCaptureFixture, fields: dict[str, Any]
) -> None:
    with caplog.at_level(logging.WARNING):
        state(tiny(**fields), IDS)
    assert not caplog.records


def test_on_an_accelerator_only_the_first_call_looks_for_padding(tiny: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The meta device stands for one that must not be read at all."""
    model = tiny().to("meta")
    with caplog.at_level(logging.WARNING):
        assert state(model, IDS.to("meta")).shape == (2, 6, 16)
    assert model._looked_for_padding and not caplog.records
