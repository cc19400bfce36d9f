"""Weights of every origin under the names of PaddleNLP 2.8: the release's, a port's, automatic ones, older prefixes."""

from __future__ import annotations

from typing import Any

from verify.recorder.errors import Refused
from verify.recorder.families.automatic_names import has_automatic_names, name_automatic
from verify.recorder.families.ernie_m.release_names import is_release, name_release
from verify.recorder.families.ernie_m.transformers4 import is_port, name_port

AUTOMATIC_NOTE = "automatic names (linear_7.w_0) were put in the order in which PaddleNLP makes its layers"


def name_weights(weights: Any, parameters: Any, model: Any) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    """The weights, which parameter each is for, and notes. Raises Refused when no name is of this class."""
    notes: list[str] = []
    if is_port(weights):
        weights, notes = name_port(weights, parameters, model)
    elif is_release(weights):
        weights, notes = name_release(weights, parameters)
    elif has_automatic_names(weights):
        weights, notes = name_automatic(weights, parameters), [AUTOMATIC_NOTE]
    tables = [name for name in weights if name.endswith("embeddings.word_embeddings.weight")]
    if any(name in parameters for name in tables):
        return weights, {name: name for name in weights}, notes
    prefix = model.base_model_prefix + "."
    targets, note = rename_encoder(weights, prefix, any(name.startswith(prefix) for name in parameters))
    return weights, targets, [*notes, note]


def rename_encoder(weights: Any, prefix: str, with_head: bool) -> tuple[dict[str, str], str]:
    """name -> name in PaddleNLP 2.8, and a note: UIEM before 2.5 had `encoder.`, and a base model may come with its
    prefix. `with_head`: the model has a head, and its encoder's names the prefix."""
    if any(name.startswith("encoder.embeddings.") for name in weights):
        target = prefix if with_head else ""
        changed = {name: target + name[8:] if name.startswith("encoder.") else name for name in weights}
        return changed, f"names of PaddleNLP before 2.5: `encoder.` was read as `{target}`"
    if any(name.startswith(prefix) for name in weights):
        changed = {name: name[len(prefix) :] if name.startswith(prefix) else name for name in weights}
        return changed, f"`{prefix}` was taken off the names, as PaddleNLP does for a model without a head"
    raise Refused(f"no weight has a name of this class; the first is {sorted(weights)[0]}")
