"""The base model computes what PaddleNLP computes, in float64, everywhere: embeddings, layers, attentions, pooler.

Each case was recorded by tests/reference/model_numbers.py; the numbers of the quirks are those of docs/model.md.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.ernie_m.recorded_numbers import sites

TOLERANCE = 1e-12  # relative to the largest value of the site; 5e-14 is reached
FOUR_D = ("B11S", "B1SS", "BhSS", "11SS")
QUIRKS: dict[str, list[str]] = {
    "1: without a mask [CLS] is hidden and [PAD] is not": [
        "no mask",
        "no mask, padding",
        "no mask, the padded row alone",
        "no mask, [CLS] in the middle",
        "mask of ones",
    ],
    "2: positions start at 2": [
        "position_ids",
        "position_ids, one row",
        "position_ids, one dimension",
        "position_ids, 600 tokens",
        "one token",
        "one token, mask",
        "longest",
        "int32 ids",
    ],
    "5: a 2-D mask of any dtype adds (1 - mask) * -1e4": [
        *(f"2-D mask, {d}" for d in ("int64", "int32", "uint8", "bool", "float16", "float32", "float64")),
        "2-D mask, fractions",
        "2-D mask, float32 fractions",
        "2-D mask, one row for all",
        "2-D mask, a row of zeros",
    ],
    "6: 4-D and 3-D masks: int and bool (mask - 1) * 1e9, float as it is": [
        *(f"4-D mask, {d} {s}" for d in ("int64", "bool", "int32", "float64", "float32") for s in FOUR_D),
        "4-D mask, a row of zeros",
        "3-D mask",
        "3-D mask, float",
    ],
    "7: inputs_embeds": ["inputs_embeds"],
    "18: position_ids -2 and -1 are the rows 0 and 1": ["position_ids, negative"],
}


def run(model: Any, inputs: dict[str, torch.Tensor], attentions: bool) -> dict[str, torch.Tensor]:
    with torch.no_grad():
        return sites(model(**inputs, output_hidden_states=True, output_attentions=attentions))


@pytest.fixture(scope="module")
def models(reference: Any) -> dict[str, Any]:
    return {attn: reference.model("base", attn) for attn in ("eager", "sdpa")}


@pytest.mark.parametrize("attn", ["eager", "sdpa"])
@pytest.mark.parametrize("quirk", QUIRKS)
def test_every_site_equals_paddles(models: Any, reference: Any, difference: Any, quirk: str, attn: str) -> None:
    for case in QUIRKS[quirk]:
        recorded = reference.outputs(f"base:{case}")
        # sdpa itself shows no attentions: with them it would be the eager way that is compared
        ours = run(models[attn], reference.inputs(f"base:{case}"), attn == "eager" and "attentions.0" in recorded)
        compared = {site for site in recorded if site in ours}
        assert len(compared) == (len(recorded) if attn == "eager" else 2 + 4), compared
        for site in sorted(compared):
            assert difference(ours[site], recorded[site]) < TOLERANCE, (case, site)


def test_no_recorded_case_is_left_out(reference: Any) -> None:
    named = [case for cases in QUIRKS.values() for case in cases]
    assert sorted(f"base:{case}" for case in [*named, "gradients"]) == sorted(reference.cases("base"))


@pytest.mark.parametrize("attn", ["eager", "sdpa"])
def test_the_epsilon_of_layer_norm_is_a_float32(reference: Any, difference: Any, attn: str) -> None:
    """Quirk 4. With small inputs the epsilon decides: Python's 1e-5 in any one of the norms is seen."""
    recorded, inputs = reference.outputs("small:epsilon"), reference.inputs("small:epsilon")
    model = reference.model("small", attn)
    ours = run(model, inputs, attn == "eager")
    assert all(difference(ours[site], recorded[site]) < TOLERANCE for site in ours)
    layer = model.encoder.layers[0]
    for norm in (model.embeddings.layer_norm, layer.norm1, layer.norm2):
        right, norm.eps = norm.eps, 1e-5
        other = run(model, inputs, attn == "eager")
        assert max(difference(other[site], recorded[site]) for site in other) > 1e-9
        norm.eps = right


@pytest.mark.parametrize("name", ["gelu", "relu", "tanh", "silu", "swish", "mish", "leaky_relu", "relu6", "sigmoid"])
def test_activations(reference: Any, difference: Any, name: str) -> None:
    """Quirk 15."""
    recorded = reference.outputs(f"act {name}:text")
    ours = run(reference.model(f"act {name}"), reference.inputs(f"act {name}:text"), True)
    assert ours.keys() == recorded.keys()
    assert all(difference(ours[site], recorded[site]) < TOLERANCE for site in ours)


def test_the_feed_forward_is_always_four_times_as_wide(reference: Any, difference: Any) -> None:
    """Quirk 3: this Paddle configuration says 24; Paddle makes it 64 and so must whoever reads the weights."""
    assert reference.models["ffn"]["config"]["intermediate_size"] == 24
    model = reference.model("ffn")
    assert model.encoder.layers[0].linear1.out_features == 4 * 16
    recorded = reference.outputs("ffn:text")
    ours = run(model, reference.inputs("ffn:text"), True)
    assert all(difference(ours[site], recorded[site]) < TOLERANCE for site in ours)


@pytest.mark.parametrize("attn", ["eager", "sdpa"])
def test_gradients_equal_paddles(models: Any, reference: Any, difference: Any, attn: str) -> None:
    """Also those of the row of [PAD], which torch's padding_idx would keep at zero."""
    model, given = models[attn], reference.inputs("base:gradients")
    model.zero_grad()
    output = model(given["input_ids"])
    loss = (output.last_hidden_state * given["state"]).sum() + (output.pooler_output * given["pooled"]).sum()
    assert difference(loss.detach(), reference.outputs("base:gradients")["loss"]) < TOLERANCE
    loss.backward()
    gradients = reference.gradients("base:gradients")
    largest = max(float(gradient.abs().max()) for gradient in gradients.values())
    assert gradients.keys() == dict(model.named_parameters()).keys()
    for name, parameter in model.named_parameters():
        if name.endswith("k_proj.bias"):  # softmax does not see it: noise on both sides
            assert max(float(parameter.grad.abs().max()), float(gradients[name].abs().max())) < 1e-13 * largest
        else:
            assert difference(parameter.grad, gradients[name]) < TOLERANCE, name
    assert model.embeddings.word_embeddings.weight.grad[1].abs().max() > 0


def test_last_hidden_state_is_the_last_of_hidden_states(models: Any, reference: Any) -> None:
    """Quirk 16: the embeddings, then each layer; attentions are probabilities."""
    output = models["eager"](
        **reference.inputs("base:no mask"), output_hidden_states=True, output_attentions=True, return_dict=True
    )
    assert len(output.hidden_states) == 4 and len(output.attentions) == 3
    assert torch.equal(output.hidden_states[-1], output.last_hidden_state)
    assert torch.allclose(output.attentions[0].sum(-1), torch.ones((), dtype=torch.float64))


def test_return_dict_false_gives_paddles_tuple(models: Any, reference: Any) -> None:
    inputs = reference.inputs("base:no mask, padding")
    flags = {"output_hidden_states": True, "output_attentions": True}
    parts = models["eager"](**inputs, **flags, return_dict=False)
    assert reference.facts["tuple"] == ["Tensor", "Tensor", "tuple", "tuple"]
    assert [type(part).__name__ for part in parts] == reference.facts["tuple"]
    named = models["eager"](**inputs, **flags)
    assert torch.equal(parts[0], named.last_hidden_state) and torch.equal(parts[1], named.pooler_output)
    assert all(torch.equal(a, b) for a, b in zip(parts[2], named.hidden_states, strict=True))


def test_positional_order_is_ids_mask_positions_embeds(models: Any, reference: Any) -> None:
    """Quirk 12: Paddle's and the port's base model have position_ids second; here all classes are alike."""
    given = reference.inputs("base:position_ids")
    mask = torch.tensor([[1, 1, 0, 1, 1, 1, 1]] * 2)
    by_name = models["eager"](input_ids=given["input_ids"], attention_mask=mask, position_ids=given["position_ids"])
    by_order = models["eager"](given["input_ids"], mask, given["position_ids"])
    assert torch.equal(by_name.last_hidden_state, by_order.last_hidden_state)
    embeds = models["eager"].get_input_embeddings()(given["input_ids"])
    by_order = models["eager"](None, mask, given["position_ids"], embeds)
    assert torch.equal(by_name.last_hidden_state, by_order.last_hidden_state)


def test_a_forward_hook_sees_each_site(models: Any, reference: Any) -> None:
    model, seen = models["sdpa"], {}
    hooks = [
        model.embeddings.register_forward_hook(lambda _, __, out: seen.__setitem__(0, out)),
        model.encoder.layers[0].register_forward_hook(lambda _, __, out: seen.__setitem__(1, out[0])),
    ]
    states = model(**reference.inputs("base:no mask"), output_hidden_states=True).hidden_states
    for hook in hooks:
        hook.remove()
    assert torch.equal(seen[0], states[0]) and torch.equal(seen[1], states[1])
