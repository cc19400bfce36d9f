"""Loss, gradients and pseudo tokens of every objective against Paddle, in float64."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import ernie_m
from ernie_m import objectives
from tests.ernie_m.recorded_numbers import torch_layout, torch_name

MASK, VOCABULARY = 59, 60
SMALL = {"mask_token_id": MASK, "vocab_size": VOCABULARY}
SIZES = {
    "vocab_size": VOCABULARY,
    "hidden_size": 16,
    "num_attention_heads": 4,
    "num_hidden_layers": 3,
    "max_position_embeddings": 66,
}
TABLE = "ernie_m.embeddings.word_embeddings.weight"
Found = dict[str, np.ndarray]


def name_of(paddle: str) -> str:
    """Our name of a tensor of tests/reference/objective_numbers.py."""
    return torch_name(paddle, "") if paddle.startswith("ernie_m.") else f"lm_head.{paddle}"


@pytest.fixture(scope="module")
def model() -> Any:
    torch.manual_seed(0)
    made = ernie_m.ErnieMForMaskedLM(ernie_m.ErnieMConfig(**SIZES)).double().eval()
    random = np.random.default_rng(3)
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            size = 1.8 if "q_proj" in name or "k_proj" in name else 1.0
            spread = random.normal(size=tuple(parameter.shape)) * (size / 4 if parameter.ndim == 2 else 0.3)
            parameter.copy_(torch.tensor(spread + ("norm.weight" in name or "norm1.weight" in name)))
    return made


@pytest.fixture(scope="module")
def batches(model: Any) -> dict[str, objectives.Inputs]:
    random = np.random.default_rng(4)
    texts = [random.integers(4, MASK, length).tolist() for length in (9, 4, 7)]
    pairs = list(zip(texts, [random.integers(4, MASK, length).tolist() for length in (6, 8, 3)]))
    stage1 = objectives.placeholders(texts, pseudo_ratio=0.5, **SMALL)
    pseudo = objectives.fill_placeholders(model, stage1)
    options: dict[str, Any] = {**SMALL, "ratio": 0.3, "seed": 5}
    return {
        "mmlm": objectives.mmlm(texts, bert_rule=True, **options),
        "tlm": objectives.tlm(pairs, **options),
        "camlm": objectives.camlm(pairs, restart_positions=True, **options),
        "placeholders": stage1,
        "btmlm": objectives.btmlm(texts, pseudo, **options),
    }


@pytest.fixture(scope="module")
def paddle(model: Any, batches: Any, run_paddle: Callable[..., None], tmp_path_factory: Any) -> Found:
    """What the reference computes, by objective."""
    folder = tmp_path_factory.mktemp("objectives")
    own = dict(model.named_parameters())
    given: Found = {}
    for name, parameter in own.items():
        if name == "lm_head.decoder.weight" or name == "lm_head.decoder.bias":
            continue
        value = parameter.detach().numpy()
        theirs = name.replace(".self_attn.self_attn.", ".self_attn.").removeprefix("lm_head.")
        given[f"weights/{theirs}"] = value.T if value.ndim == 2 and "embeddings" not in name else value
    for objective, inputs in batches.items():
        given.update({f"{objective}/{name}": array for name, array in inputs.items()})
        given[f"{objective}/rows"] = predicted(inputs)
    config, names = json.dumps(SIZES), json.dumps(list(batches))
    np.savez(folder / "request.npz", config=config, objectives=names, **given)  # type: ignore[arg-type]
    run_paddle("objective_numbers.py", folder / "request.npz", folder / "answer.npz")
    with np.load(folder / "answer.npz") as file:
        return {name: file[name] for name in file.files}


def predicted(inputs: objectives.Inputs) -> np.ndarray:
    """The rows that the head computes: the predicted ones, of placeholders all [MASK]."""
    return (inputs.labels != -100) if (inputs.labels != -100).any() else inputs.input_ids == MASK


@pytest.mark.parametrize("objective", ["mmlm", "tlm", "camlm", "btmlm"])
@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_loss_and_gradients_are_paddles(
    model: Any, batches: Any, paddle: Found, objective: str, attention: str
) -> None:
    model.set_attn_implementation(attention)
    model.zero_grad()
    output = model(**objectives.to_tensors(batches[objective]), full_logits=False)
    output.loss.backward()
    assert abs(float(output.loss.detach()) - float(paddle[f"{objective}/loss"])) < 1e-12
    expected = torch.tensor(paddle[f"{objective}/logits"])
    assert (output.logits - expected).abs().max() < 1e-12 * expected.abs().max()
    start = f"{objective}/grad/"
    theirs = {
        name_of(key.removeprefix(start)): torch_layout(key, value)
        for key, value in paddle.items()
        if key.startswith(start)
    }
    own = {name: parameter.grad for name, parameter in model.named_parameters() if parameter.grad is not None}
    assert theirs.keys() == own.keys()
    largest = max(float(gradient.abs().max()) for gradient in theirs.values())
    for name, gradient in theirs.items():
        # As in recorded_numbers.py: what is zero in exact arithmetic is noise on both sides.
        scale = max(float(gradient.abs().max()), largest / 100)
        assert float((own[name] - gradient).abs().max()) < 1e-12 * scale, name


@pytest.mark.parametrize("objective", ["mmlm", "tlm", "camlm", "btmlm"])
def test_the_gradient_of_the_words_has_both_its_parts(model: Any, batches: Any, paddle: Found, objective: str) -> None:
    """The part of the lookup and the part of the decoder, each computed alone, and Paddle's is their sum."""
    inputs = objectives.to_tensors(batches[objective])
    ids, labels = inputs.pop("input_ids"), inputs["labels"]
    table, chosen = model.get_input_embeddings().weight, labels != -100
    del inputs["labels"]
    embeds = table[ids].detach().requires_grad_()
    states = model.ernie_m(inputs_embeds=embeds, **inputs).last_hidden_state[chosen]
    head = model.lm_head
    decoder = table.detach().clone().requires_grad_()
    logits = head.layer_norm(head.activation(head.dense(states))) @ decoder.T + head.bias
    torch.nn.functional.cross_entropy(logits, labels[chosen]).backward()
    lookup = torch.zeros_like(decoder).index_add(0, ids.flatten(), embeds.grad.flatten(0, 1))  # type: ignore[union-attr]
    whole = torch.tensor(paddle[f"{objective}/grad/{TABLE}"])
    assert decoder.grad is not None
    for part in (lookup, decoder.grad):
        assert part.abs().max() > 0.01 * whole.abs().max()
    assert (lookup + decoder.grad - whole).abs().max() < 1e-12 * whole.abs().max()


def test_pseudo_tokens_are_paddles_most_probable_ones(model: Any, batches: Any, paddle: Found) -> None:
    stage1 = batches["placeholders"]
    logits = paddle["placeholders/logits"]
    logits[:, [0, 1, 2, 3, MASK]] = -np.inf
    counts = (stage1.input_ids == MASK).sum(1)
    expected = np.split(logits.argmax(1), counts.cumsum()[:-1])
    assert objectives.fill_placeholders(model, stage1) == [part.tolist() for part in expected]
    assert counts.tolist() == [5, 2, 4]
