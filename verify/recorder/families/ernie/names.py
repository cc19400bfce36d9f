"""Weights of every origin under the names of PaddleNLP 2.8: a port's, automatic ones, older names and prefixes."""

from __future__ import annotations

from typing import Any

from verify.recorder.errors import Refused
from verify.recorder.families.automatic_names import has_automatic_names, name_automatic
from verify.recorder.families.ernie.classes import TIED, Package
from verify.recorder.families.ernie.port import is_port, name_port

WORDS = "embeddings.word_embeddings.weight"
BEFORE_2_5 = "encoder."
AUTOMATIC_NOTE = "automatic names (linear_7.w_0) were put in the order in which PaddleNLP makes its layers"
#: Names of one parameter in other releases: of the bias of the decoder, and of a norm in a file of 2022.
OTHER_NAMES = dict(TIED, **{"cls.predictions.layer_norm.scale": "cls.predictions.layer_norm.weight"})


def name_weights(
    package: Package, weights: Any, parameters: Any, model: Any
) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    """The weights, which parameter each is for, and notes. Raises Refused when no name is of this class."""
    notes: list[str] = []
    if is_port(weights):
        weights, notes = name_port(weights, parameters, model, package.name + ".")
    elif has_automatic_names(weights):
        weights, notes = name_automatic(weights, parameters), [AUTOMATIC_NOTE]
    prefix = package.name + "."
    start, note = prefix_of(weights, prefix)
    target = prefix if prefix + WORDS in parameters else ""
    targets = {}
    for name in weights:
        named = target + name[len(start) :] if start and name.startswith(start) else name
        named = target + named if not start and named.startswith(("embeddings.", "encoder.", "pooler.")) else named
        other = OTHER_NAMES.get(named)
        targets[name] = other if other is not None and other not in weights else named
    return weights, targets, notes + ([note.format(target)] if note and start != target else [])


def prefix_of(weights: Any, prefix: str) -> tuple[str, str]:
    """What the encoder's names begin with, and a note with a place for what takes its place. Raises Refused."""
    if prefix + WORDS in weights:
        return prefix, f"`{prefix}` was read as `{{}}`, as PaddleNLP does for a model without a head"
    if BEFORE_2_5 + WORDS in weights:
        return BEFORE_2_5, "names of PaddleNLP before 2.5: `encoder.` was read as `{}`"
    if WORDS in weights:
        return "", "the names have no prefix: `{}` was put in front of the encoder's"
    raise Refused(f"no weight has a name of this class; the first is {sorted(weights)[0]}")


def sizes_from_weights(weights: Any) -> dict[str, Any]:
    """Sizes that configs leave out or give otherwise: PaddleNLP cannot load the weights with another."""
    ends = {
        "intermediate_size": "encoder.layers.0.linear1.bias",
        "type_vocab_size": "embeddings.token_type_embeddings.weight",
        "task_type_vocab_size": "embeddings.task_type_embeddings.weight",
    }
    found = {}
    for size, end in ends.items():
        for name in weights:
            if name == end or name.endswith("." + end):
                found[size] = int(weights[name].shape[0])
    return found
