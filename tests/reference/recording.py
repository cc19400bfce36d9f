"""How Paddle's numbers are recorded: models with sensitive weights, texts, and what goes in and comes out by name.

Imported by model_numbers.py, which has the cases; it runs in the reference interpreter only. The weights are sensitive
on purpose: biases and norms are random, attention is far from uniform, embeddings have a std of 1, so that every quirk
moves the numbers. Keys of the file that `save` writes:

    models                      JSON: name -> {"class", "config"}
    weights/MODEL/TENSOR        under Paddle's names, in Paddle's layout
    in/CASE/ARGUMENT            what went in (`CASE` is "MODEL:case")
    out/CASE/SITE               what came out
    grad/CASE/TENSOR            gradients of the loss (or of a fixed random projection of the outputs)
    facts                       JSON: what Paddle does where there is no number to compare
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import paddle
from paddlenlp.transformers import ErnieMConfig
from paddlenlp.transformers.ernie_m import modeling

paddle.set_default_dtype("float64")
RANDOM = np.random.default_rng(20121546)
VOCAB, HIDDEN, HEADS, LAYERS, POSITIONS = 60, 16, 4, 3, 514
CLS, PAD, SEP = 0, 1, 2

saved: dict[str, np.ndarray] = {}
models: dict[str, dict[str, Any]] = {}
facts: dict[str, Any] = {}


def build(name: str, class_name: str, **config: Any) -> Any:
    """A model in eval mode with sensitive weights, which are saved with it."""
    fields = dict(
        vocab_size=VOCAB,
        hidden_size=HIDDEN,
        num_attention_heads=HEADS,
        num_hidden_layers=LAYERS,
        max_position_embeddings=POSITIONS,
    )
    fields.update(config)
    model = getattr(modeling, class_name)(ErnieMConfig(**fields))
    for key, parameter in model.named_parameters():
        assert parameter.dtype == paddle.float64, key
        if "embeddings.weight" in key:
            value = RANDOM.normal(size=parameter.shape)
        elif parameter.ndim == 2:
            # attention scores of a std of about 3: far from uniform, and not a hard choice either. Not v and out: with
            # those the tokens become alike from layer to layer, and gradients are small differences of large numbers.
            factor = 1.8 if "q_proj" in key or "k_proj" in key else 1.0
            value = RANDOM.normal(size=parameter.shape) * factor / np.sqrt(parameter.shape[0])
        elif "norm" in key and key.endswith("weight"):
            value = 1.0 + 0.3 * RANDOM.normal(size=parameter.shape)
        else:
            value = 0.5 * RANDOM.normal(size=parameter.shape)
        parameter.set_value(value)
        saved[f"weights/{name}/{key}"] = value
    models[name] = {"class": class_name, "config": fields}
    model.eval()
    return model


def record(case: str, outputs: dict[str, Any], **inputs: np.ndarray) -> None:
    for key, value in inputs.items():
        saved[f"in/{case}/{key}"] = value
    for key, value in outputs.items():
        saved[f"out/{case}/{key}"] = value.numpy()


def record_gradients(model: Any, case: str, loss: Any) -> None:
    loss.backward()
    for key, parameter in model.named_parameters():
        if parameter.grad is not None:
            saved[f"grad/{case}/{key}"] = parameter.grad.numpy()
    model.clear_gradients()


def run_base(model: Any, case: str, attentions: bool = True, **inputs: np.ndarray) -> None:
    """Every site of the base model: embeddings and layers, attentions, pooler."""
    tensors = {key: paddle.to_tensor(value) for key, value in inputs.items()}
    out = model(**tensors, output_hidden_states=True, output_attentions=attentions, return_dict=True)
    sites = {"last_hidden_state": out.last_hidden_state, "pooler_output": out.pooler_output}
    sites.update({f"hidden_states.{i}": state for i, state in enumerate(out.hidden_states)})
    if attentions:
        sites.update({f"attentions.{i}": weights for i, weights in enumerate(out.attentions)})
    record(case, sites, **inputs)


def text(batch: int, length: int, padding: int = 0) -> np.ndarray:
    """[CLS] words [SEP], the last row with `padding` [PAD]s."""
    ids = RANDOM.integers(4, VOCAB, size=(batch, length))
    ids[:, 0], ids[:, -1] = CLS, SEP
    if padding:
        ids[-1, length - padding - 1] = SEP
        ids[-1, length - padding :] = PAD
    return ids.astype("int64")


def error_of(call: Any) -> str | None:
    try:
        call()
    except Exception as error:  # whatever it is: the fact is that Paddle refuses
        return type(error).__name__
    return None


def run_head(model: Any, case: str, loss_arguments: tuple[str, ...], **inputs: np.ndarray) -> None:
    tensors = {key: paddle.to_tensor(value) for key, value in inputs.items()}
    out = model(**tensors, return_dict=True)
    sites = {key: out[key] for key in ("loss", "logits", "start_logits", "end_logits") if key in out}
    record(case, sites, **inputs)
    if any(name in inputs for name in loss_arguments):
        record_gradients(model, case, out.loss)


def save(path: str) -> None:
    """Everything that was recorded, as one .npz."""
    np.savez(path, models=json.dumps(models), facts=json.dumps(facts), **saved)
