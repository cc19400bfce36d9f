"""Errors that help, and what a call must never do: change what it is given."""

from __future__ import annotations

from typing import Any

import pytest
import torch

IDS = torch.tensor([[0, 7, 8, 9, 10, 2], [0, 11, 12, 2, 1, 1]])
CLASSES = [
    "ErnieMModel",
    "ErnieMForSequenceClassification",
    "ErnieMForTokenClassification",
    "ErnieMForQuestionAnswering",
    "ErnieMForInformationExtraction",
    "ErnieMForMultipleChoice",
]


def ids_for(name: str) -> torch.Tensor:
    return IDS[:, None].clone() if name == "ErnieMForMultipleChoice" else IDS.clone()


def test_513_tokens_are_too_many(reference: Any, tiny: Any) -> None:
    """Quirk 2: 514 rows, the first two unused."""
    assert reference.facts["513 tokens"] == "ValueError"
    model = tiny(max_position_embeddings=514, num_hidden_layers=1)
    assert model(torch.full((1, 512), 5)).last_hidden_state.shape == (1, 512, 16)
    with pytest.raises(ValueError, match=r"513 tokens: this model takes 1 to 512\. .*\(max_length=512\)"):
        model(torch.full((1, 513), 5))
    with pytest.raises(ValueError, match="513 tokens"):
        model(inputs_embeds=torch.zeros(1, 513, 16))


@pytest.mark.parametrize("bad", [-1, -2, 60, 250001])
def test_ids_outside_the_vocabulary(reference: Any, tiny: Any, bad: int) -> None:
    """Quirk 18: Paddle reads in front of its table for -1 and refuses -2 and what is past the end."""
    assert reference.facts["id -2"] == reference.facts["id past the end"] == "ValueError"
    with pytest.raises(ValueError, match=rf"input_ids holds .*{bad}.* allowed are 0 to 59\."):
        tiny()(torch.tensor([[0, bad]]))


@pytest.mark.parametrize("bad", [-3, 18])
def test_position_ids_outside_the_table(reference: Any, tiny: Any, bad: int) -> None:
    assert reference.facts["position -4"] == "ValueError"
    with pytest.raises(ValueError, match=r"position_ids holds .* allowed are -2 to 17\."):
        tiny()(torch.tensor([[0, 5]]), position_ids=torch.tensor([[0, bad]]))


@pytest.mark.parametrize("shape", [(2, 5), (3, 6), (5,), (2, 1, 6)], ids=str)
def test_position_ids_of_the_wrong_shape(tiny: Any, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"position_ids has shape .*, expected \[2, 6\] or \[1, 6\] or \[6\]"):
        tiny()(IDS, position_ids=torch.zeros(shape, dtype=torch.long))


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "Give input_ids or inputs_embeds, and not both"),
        ({"input_ids": IDS, "inputs_embeds": torch.zeros(2, 6, 16)}, "and not both"),
        ({"input_ids": IDS[0]}, r"input_ids has shape \[6\], expected \[B, S\]"),
        ({"input_ids": IDS[None]}, r"input_ids has shape \[1, 2, 6\]"),
        ({"input_ids": IDS[:, :0]}, "0 tokens: this model takes 1 to 18"),
        ({"inputs_embeds": torch.zeros(2, 6)}, r"inputs_embeds has shape \[2, 6\], expected \[B, S, 16\]"),
        ({"inputs_embeds": torch.zeros(2, 6, 1)}, r"inputs_embeds has shape \[2, 6, 1\], expected \[B, S, 16\]"),
        ({"inputs_embeds": torch.zeros(2, 0, 16)}, "0 tokens"),
    ],
)
def test_inputs_of_the_wrong_kind(tiny: Any, inputs: dict[str, torch.Tensor], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tiny()(**inputs)


@pytest.mark.parametrize("name", CLASSES)
def test_arguments_that_would_be_ignored_are_refused(tiny: Any, name: str) -> None:
    """Quirk 17: no cache, no cross-attention, no head masks, no token types; None and False ask for nothing."""
    model, ids = tiny(name), ids_for(name)
    for argument, value in [
        ("use_cache", True),
        ("past_key_values", ((torch.zeros(1),),)),
        ("encoder_hidden_states", torch.zeros(1)),
        ("encoder_attention_mask", torch.zeros(1)),
        ("head_mask", torch.ones(4)),
        ("token_type_ids", torch.ones_like(IDS)),
    ]:
        message = f"Leave {argument} out: ERNIE-M has no cache, cross-attention, head mask or token types"
        with pytest.raises(ValueError, match=message):
            model(ids, **{argument: value})
        model(ids, **{argument: None})
    model(ids, use_cache=False)
    with pytest.raises(TypeError, match="unexpected keyword argument 'attention_masks'"):
        model(ids, attention_masks=None)


@pytest.mark.parametrize("name", CLASSES)
def test_heads_cannot_be_pruned(tiny: Any, name: str) -> None:
    with pytest.raises(NotImplementedError, match="heads cannot be pruned"):
        tiny(name).prune_heads({0: [1]})


@pytest.mark.parametrize("attn", ["eager", "sdpa"])
@pytest.mark.parametrize("name", CLASSES)
def test_nothing_that_a_caller_gives_is_changed(tiny: Any, name: str, attn: str) -> None:
    """Quirk 2: the port adds 2 to the caller's position_ids, so that a second call differs; views of them raise."""
    model, ids = tiny(name, attn_implementation=attn), ids_for(name)
    places = torch.arange(6).expand(ids.shape)
    for mask in (torch.rand(ids.shape), (torch.rand(ids.shape) < 0.5), torch.rand(*ids.shape[:-1], 1, 6, 6)):
        given = {"input_ids": ids, "attention_mask": mask, "position_ids": places}
        copies = {key: value.clone() for key, value in given.items()}
        versions = {key: value._version for key, value in given.items()}
        first, second = (model(**given, return_dict=False)[0] for _ in range(2))
        assert torch.equal(first, second)
        assert all(torch.equal(given[key], copies[key]) and given[key]._version == versions[key] for key in given)


def test_a_callers_mask_keeps_its_gradient(reference: Any, tiny: Any) -> None:
    """Quirk 19: Paddle sets stop_gradient on it."""
    assert reference.facts["stop_gradient set on the mask"] is True
    mask = torch.zeros(2, 1, 6, 6, requires_grad=True)
    tiny()(IDS, mask).last_hidden_state.square().sum().backward()
    assert mask.requires_grad and mask.grad is not None and mask.grad.abs().max() > 0


def test_an_empty_batch_is_no_error(tiny: Any) -> None:
    assert tiny()(torch.zeros(0, 4, dtype=torch.long)).last_hidden_state.shape == (0, 4, 16)
