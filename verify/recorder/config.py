"""The class and the arguments of PaddleNLP's ErnieMConfig, from the files beside the weights."""

from __future__ import annotations

import os
import re
from typing import Any

from verify.recorder.telling import Refused, read_json

#: In this order, beside the weights and then in the folder above. The last is the 2021 release's.
CONFIG_NAMES = ("config.json", "model_config.json", "ernie_config.json")
#: And of ERNIEKit's, which has the fields of the release's.
ERNIEKIT_CONFIG = re.compile(r"ernie_m_[\w.]+_config\.json")

ARCHITECTURES = (
    "ErnieMModel",
    "ErnieMForSequenceClassification",
    "ErnieMForTokenClassification",
    "ErnieMForQuestionAnswering",
    "ErnieMForMultipleChoice",
    "UIEM",
)

#: What the constructors of PaddleNLP before 2.5 took by position; model_config.json holds such calls.
POSITIONAL = {
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
    "UIEM": ["ernie_m"],
}


def read_config(request: Any) -> Any:
    """Class name, the arguments of PaddleNLP's ErnieMConfig, and how they were found."""
    source = request["source"]
    folder = source if os.path.isdir(source) else os.path.dirname(os.path.abspath(source))
    path = request.get("config")
    places = [folder, os.path.dirname(os.path.abspath(folder))]
    for candidate in [os.path.join(place, name) for place in places for name in config_names(place)]:
        if path is None and os.path.isfile(candidate):
            path = candidate
    fallback = dict(request.get("fallback") or {})
    if path is None:
        fallback["architecture"] = request.get("architecture") or fallback.get("architecture")
        if fallback["architecture"] is None:
            raise Refused("no config.json beside the weights, and the request gives no fallback")
        return (
            architecture_of(fallback.pop("architecture")),
            fallback,
            "no config beside the weights: given by the request",
        )
    fields = read_json(path)
    if "implicit_mask_token_ids" in fields:
        raise Refused(f"{path} is of a folder that was converted already: record the checkpoint that it came from")
    name = os.path.basename(path)
    if "init_class" in fields:
        fields = flatten_call(fields)
        how = name + ", a constructor call of PaddleNLP before 2.5, flattened by the recorder"
    else:
        of_release = name == "ernie_config.json" or ERNIEKIT_CONFIG.fullmatch(name)
        whose = "the 2021 release's or ERNIEKit's" if of_release else "read by PaddleNLP's ErnieMConfig"
        how = name + ", " + whose
        names = fields.get("architectures") or []
        fields["init_class"] = names[0] if names else fallback.get("architecture")
    fields["init_class"] = request.get("architecture") or fields.get("init_class")
    given = dict((key, value) for key, value in fallback.items() if fields.get(key) is None and key != "architecture")
    fields.update(given)
    return (
        architecture_of(fields.pop("init_class")),
        fields,
        how + (f"; the request adds {sorted(given)}" if given else ""),
    )


def config_names(folder: str) -> Any:
    """The names that a config may have in a folder, in order."""
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [*CONFIG_NAMES, *(name for name in names if ERNIEKIT_CONFIG.fullmatch(name))]


def architecture_of(name: str) -> str:
    name = {"ErnieMForInformationExtraction": "UIEM"}.get(name, name)
    if name not in ARCHITECTURES:
        raise Refused("the class is {!r}, known are {}".format(name, ", ".join(ARCHITECTURES)))
    return name


def flatten_call(call: Any) -> Any:
    call = dict(call)
    name = call.pop("init_class")
    for position, value in zip(POSITIONAL.get(name, []), call.pop("init_args", [])):
        call[position] = value
    encoder = call.pop("ernie_m", None)
    if encoder is None:
        encoder = call.pop("encoder", None)
    flat = {}
    if encoder is not None:
        flat.update(flatten_call(dict(encoder, init_class="ErnieMModel")))
    flat.update(call)
    for old, new in (("num_classes", "num_labels"), ("dropout", "classifier_dropout")):
        if old in flat:
            flat[new] = flat.pop(old)
    flat["init_class"] = name
    return flat
