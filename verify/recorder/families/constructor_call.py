"""Constructor calls that stand in for a config (model_config.json of PaddleNLP before 2.5), as flat fields."""

from __future__ import annotations

from typing import Any

#: What a class with a head calls its encoder besides its family's own name for it.
ENCODERS = ("encoder", "encoding_model")


def flatten_call(call: dict[str, Any], positional: dict[str, list[str]], encoder: str) -> dict[str, Any]:
    """The fields of a call and of the encoder's call inside it, under the names that configs have.

    `positional`: class -> what its constructor took by position, the encoder's class first. `encoder`: what classes
    with a head call their encoder.
    """
    call = dict(call)
    name = call.pop("init_class")
    for position, value in zip(positional.get(name, []), call.pop("init_args", [])):
        call[position] = value
    inner = [call.pop(key, None) for key in (encoder, *ENCODERS)]
    flat: dict[str, Any] = {}
    for given in inner:
        if given is not None:
            flat.update(flatten_call(dict(given, init_class=next(iter(positional))), positional, encoder))
    flat.update(call)
    for old, new in (("num_classes", "num_labels"), ("dropout", "classifier_dropout")):
        if old in flat:
            flat[new] = flat.pop(old)
    flat["init_class"] = name
    return flat
