"""What families with layers of paddle.nn.TransformerEncoderLayer share: where activations are taken, and the
order."""

from __future__ import annotations

from typing import Any

from verify.recorder.families.family import HookPoint

#: Module inside a layer -> part of the site's name, in the order of computation.
_PROJECTIONS = ("q_proj", "k_proj", "v_proj")
_AFTER_ATTENTION = ("self_attn.context", "self_attn.out_proj", "norm1", "linear1", "linear2")


def layer_hook_points(backbone: Any) -> list[HookPoint]:
    """The sum of the embeddings, and in every layer its projections, the attention's context, norm1 and both
    linears."""
    points = [HookPoint("embeddings.sum", backbone.embeddings.layer_norm, takes_input=True)]
    for number, layer in enumerate(backbone.encoder.layers):
        attention, site = layer.self_attn, f"layers.{number}."
        points += [HookPoint(f"{site}self_attn.{part}", getattr(attention, part)) for part in _PROJECTIONS]
        points += [HookPoint(site + part, getattr(layer, part)) for part in ("norm1", "linear1", "linear2")]
        points.append(HookPoint(site + "self_attn.out_proj", attention.out_proj))
        points.append(HookPoint(site + "self_attn.context", attention.out_proj, takes_input=True))
    return points


def encoder_site_order(layers: int, ends: tuple[str, ...]) -> list[str]:
    """The sites of a network of so many layers, then `ends`."""
    order = ["embeddings.sum", "hidden_states.0"]
    for number in range(layers):
        order += [f"layers.{number}.self_attn.{part}" for part in _PROJECTIONS]
        order.append(f"attentions.{number}")
        order += [f"layers.{number}.{part}" for part in _AFTER_ATTENTION]
        order.append(f"hidden_states.{number + 1}")
    return [*order, *ends]
