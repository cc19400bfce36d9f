"""Names of the 2021 release and of exported programs, put into PaddleNLP's: written from the two programs' sources.

The release's names say what they are. Automatic names (linear_7.w_0) count the layers in the order in which PaddleNLP
makes them: the model that PaddleNLP has just made here counts the same way, whatever number it began with.
"""

from __future__ import annotations

import re
from typing import Any

from verify.recorder.telling import Refused

RELEASE_NAMES = {
    "word_embedding": "embeddings.word_embeddings.weight",
    "pos_embedding": "embeddings.position_embeddings.weight",
    "pre_encoder_layer_norm_scale": "embeddings.layer_norm.weight",
    "pre_encoder_layer_norm_bias": "embeddings.layer_norm.bias",
    "pooled_fc.w_0": "pooler.dense.weight",
    "pooled_fc.b_0": "pooler.dense.bias",
}
RELEASE_HEADS = ("cls_out", "cls_mrc_out", "cls_seq_label_out")
#: The bias of ERNIEKit's classifier, which has the release's names else.
ERNIEKIT_HEAD = "cls.b_0"
RELEASE_PARTS = {
    "multi_head_att_query_fc": "self_attn.q_proj",
    "multi_head_att_key_fc": "self_attn.k_proj",
    "multi_head_att_value_fc": "self_attn.v_proj",
    "multi_head_att_output_fc": "self_attn.out_proj",
    "post_att_layer_norm": "norm1",
    "ffn_fc_0": "linear1",
    "ffn_fc_1": "linear2",
    "post_ffn_layer_norm": "norm2",
}
RELEASE_KINDS = {".w_0": ".weight", ".b_0": ".bias", "_scale": ".weight", "_bias": ".bias"}
RELEASE_LAYER = re.compile(r"encoder_layer_(0|[1-9]\d*)_(.+?)(\.w_0|\.b_0|_scale|_bias)")
#: What wraps a whole model: Paddle's and torch's DataParallel, torch.compile, Lightning, PaddleHub.
WRAPPER = re.compile(r"_layers\.|module\.|_orig_mod\.|_forward_module\.|@HUB_[^@]+@")
AUTOMATIC = re.compile(r"(embedding|layer_norm|linear)_(\d+)\.([wb])_0(?:_deepcopy_\d+)?")


def take_off(weights: Any, prefix: Any) -> Any:
    """The weights without what stands in front of their names, and notes. None takes off what wraps a whole model,
    where every name has it."""
    names = list(weights)
    if prefix is None:
        prefix = ""
        while names:
            found = WRAPPER.match(names[0][len(prefix) :])
            longer = prefix + found.group() if found else ""
            if not found or not all(name.startswith(longer) for name in names):
                break
            prefix = longer
    if not prefix:
        return weights, []
    named = {}
    for name in names:
        target = name[len(prefix) :] if name.startswith(prefix) else name
        if target in named:
            raise Refused(f"{target} is there with {prefix} in front of it and without")
        named[target] = weights.pop(name)
    return named, [f"`{prefix}` was taken off the names"]


def release_to_paddlenlp(name: str) -> Any:
    """PaddleNLP's name of a variable of the release, without the head's prefix; None for another variable."""
    if name in RELEASE_NAMES:
        return RELEASE_NAMES[name]
    for head in RELEASE_HEADS:
        if name in (head + "_w", head + "_b"):
            return "classifier." + ("weight" if name.endswith("_w") else "bias")
    if name in ("cls.w_0", ERNIEKIT_HEAD):
        return "classifier." + ("bias" if name == ERNIEKIT_HEAD else "weight")
    match = RELEASE_LAYER.fullmatch(name)
    if not match or match.group(2) not in RELEASE_PARTS:
        return None
    return f"encoder.layers.{match.group(1)}.{RELEASE_PARTS[match.group(2)]}{RELEASE_KINDS[match.group(3)]}"


def told_by_weights(weights: Any) -> Any:
    """Config fields that the release's names tell where no config does: the class, and the number of labels."""
    if "word_embedding" not in weights:
        return {}
    classes = ("SequenceClassification", "QuestionAnswering", "TokenClassification", "SequenceClassification")
    for bias, name in zip([*(head + "_b" for head in RELEASE_HEADS), ERNIEKIT_HEAD], classes):
        if bias in weights:
            return {"architecture": "ErnieMFor" + name, "num_labels": int(weights[bias].shape[0])}
    return {"architecture": "ErnieMModel"}


def name_as_paddlenlp(weights: Any, parameters: Any, model: Any) -> Any:
    """Weights under PaddleNLP's names, and notes on what was renamed. Names of PaddleNLP's own are left alone."""
    if "word_embedding" in weights:
        return name_release(weights, parameters)
    if any(AUTOMATIC.fullmatch(name) for name in weights):
        return name_automatic(weights, parameters), [
            "automatic names (linear_7.w_0) were put in the order in which PaddleNLP makes its layers"
        ]
    return weights, []


def name_release(weights: Any, parameters: Any) -> Any:
    prefix = "ernie_m." if any(name.startswith("ernie_m.") for name in parameters) else ""
    # Training in half precision kept the whole numbers beside them.
    masters = [name for name in weights if name + ".master" in weights]
    for name in masters:
        del weights[name]
    named = {}
    for name in list(weights):
        target = release_to_paddlenlp(name[: -len(".master")] if name.endswith(".master") else name)
        if target is not None and not target.startswith("classifier."):
            target = prefix + target
        named[target or name] = weights.pop(name)
    notes = ["the 2021 release's variables under PaddleNLP's names, in PaddleNLP's class"]
    if masters:
        notes.append(f"the float32 copy was taken of {len(masters)} weights that are there in half precision too")
    return named, notes


def name_automatic(weights: Any, parameters: Any) -> Any:
    """By the distance from the first number of each kind. A layer that the export left out leaves its number out."""
    places = {}
    for name, parameter in parameters.items():
        match = AUTOMATIC.fullmatch(parameter.name)
        if not match:
            raise Refused(f"this PaddleNLP calls {name} {parameter.name}, which has no number to go by")
        places[match.group(1), int(match.group(2)), match.group(3)] = name
    named = {}
    starts = {kind: min(number for other, number, _ in places if other == kind) for kind, _, _ in places}
    found = {name: AUTOMATIC.fullmatch(name) for name in weights}
    for kind, start in starts.items():
        numbers = [int(match.group(2)) for match in found.values() if match and match.group(1) == kind]
        for name, match in found.items():
            if match and match.group(1) == kind:
                place = (kind, int(match.group(2)) - min(numbers) + start, match.group(3))
                if place not in places:
                    raise Refused(f"{name} has no counterpart among the layers that PaddleNLP makes")
                named[places[place]] = weights.pop(name)
    named.update(weights)
    weights.clear()
    return named
