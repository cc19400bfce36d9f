"""`model_config.json` of PaddleNLP before 2.5: the constructor call of a class, bound as Python would bind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from converter.common.errors import Problem

#: PaddleNLP's class names, and those of transformers that differ.
ARCHITECTURES = {
    "ErnieMModel": "ErnieMModel",
    "ErnieMForSequenceClassification": "ErnieMForSequenceClassification",
    "ErnieMForMultipleChoice": "ErnieMForMultipleChoice",
    "ErnieMForTokenClassification": "ErnieMForTokenClassification",
    "ErnieMForQuestionAnswering": "ErnieMForQuestionAnswering",
    "UIEM": "UIEM",
    "ErnieMForInformationExtraction": "UIEM",
}

_POSITIONAL = {
    "ErnieMModel": [
        "vocab_size",
        "hidden_size",
        "num_hidden_layers",
        "num_attention_heads",
        "hidden_act",
        "hidden_dropout_prob",
        "attention_probs_dropout_prob",
        "max_position_embeddings",
        "initializer_range",
        "pad_token_id",
    ],
    "ErnieMForSequenceClassification": ["ernie_m", "num_classes", "dropout"],
    "ErnieMForTokenClassification": ["ernie_m", "num_classes", "dropout"],
    "ErnieMForMultipleChoice": ["ernie_m", "num_choices", "dropout"],
    "ErnieMForQuestionAnswering": ["ernie_m"],
    "UIEM": ["encoder"],
}


def flatten_constructor_call(data: Mapping[str, Any], file: str) -> tuple[dict[str, Any], list[Problem]]:
    """`model_config.json` (a constructor call: nested, positional or by keyword) as one flat dict of fields."""
    call, problem = _bind(data, file)
    if problem:
        return {}, [problem]
    encoder = call.pop("ernie_m", None) or call.pop("encoder", None)
    flat: dict[str, Any] = {"architecture": call.pop("init_class")}
    if encoder is not None:
        if not isinstance(encoder, Mapping):
            return flat, [Problem("E013", f"{file}: the encoder's arguments are {encoder!r:.60}, expected an object")]
        inner, problem = _bind({"init_class": "ErnieMModel", **encoder}, file)
        if problem:
            return flat, [problem]
        flat.update(inner, architecture=flat["architecture"])
        flat.pop("init_class")
    flat.update(call)
    return flat, []


def _bind(data: Mapping[str, Any], file: str) -> tuple[dict[str, Any], Problem | None]:
    """Positional arguments given their names, as Python would."""
    call = dict(data)
    name, arguments = call.get("init_class"), call.pop("init_args", [])
    if not isinstance(name, str) or not isinstance(arguments, list):
        return {}, Problem("E013", f"{file}: init_class must be a class name and init_args a list")
    positions = _POSITIONAL.get(ARCHITECTURES.get(name, name))
    if positions is None:
        return {}, unknown_architecture(name, file)
    if len(arguments) > len(positions):
        return {}, Problem(
            "E013", f"{file}: {name} takes {len(positions)} positional arguments, found {len(arguments)}"
        )
    for position, value in zip(positions, arguments):
        if position in call:
            return {}, Problem("E013", f"{file}: {position} is given twice, by position and by name")
        call[position] = value
    return call, None


def unknown_architecture(name: object, file: str) -> Problem:
    return Problem("E012", f"{file}: the class is {name!r:.80}; known are {', '.join(ARCHITECTURES)}")
