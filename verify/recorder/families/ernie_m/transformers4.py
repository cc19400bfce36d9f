"""PyTorch folders of transformers 4's own ErnieM, a port of PaddleNLP's: its weights in PaddleNLP's class.

Written from both programs' sources (transformers 4.57, models/deprecated/ernie_m; paddlenlp, transformers/ernie_m). The
port gives other names to q, k, v and to the head for answers, lays a Linear's weight out [out, in], and takes from its
config what PaddleNLP does not: the width of the feed-forward layers and the epsilon of every LayerNorm.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from verify.recorder.errors import Refused
from verify.recorder.families.ernie_m.classes import backbone_of
from verify.recorder.families.ernie_m.release_names import RELEASE_MASKED_LM
from verify.recorder.families.exact_epsilon import follow_epsilon

PROJECTION = re.compile(r"\.self_attn\.([qkv]_proj)\.")
#: The port's epsilon where its config is silent (configuration_ernie_m.py).
PORT_EPSILON = 1e-05


def is_port(weights: Any) -> bool:
    """Whether these names are the port's, which have self_attn twice where PaddleNLP's have it once."""
    return any(".self_attn.self_attn." in name for name in weights)


def name_in_port(parameter: str, architecture: str) -> str:
    """The port's name of a parameter that PaddleNLP has under this name."""
    if architecture == "ErnieMForQuestionAnswering" and parameter.startswith("classifier."):
        return "qa_outputs." + parameter[len("classifier.") :]
    return PROJECTION.sub(r".self_attn.self_attn.\1.", parameter)


def name_port(weights: Any, parameters: Any, model: Any) -> tuple[dict[str, Any], list[str]]:
    """The port's weights under PaddleNLP's names and in its layout, and notes. Raises Refused that names what is
    missing or has another shape; a pooler may be missing."""
    import paddle

    architecture = type(model).__name__
    turned = set(part.weight.name for part in model.sublayers() if isinstance(part, paddle.nn.Linear))
    named, wrong = {}, []
    # The head that a converted folder keeps apart has the release's names, and is of an encoder alone.
    of_release = dict((name, stored) for stored, name in RELEASE_MASKED_LM.items() if stored in weights)
    alone = of_release and not any(name.startswith("ernie_m.") for name in weights)
    for name, parameter in parameters.items():
        theirs = name_in_port(name, architecture)
        theirs = theirs[len("ernie_m.") :] if alone and theirs.startswith("ernie_m.") else theirs
        if theirs not in weights and name in of_release:
            named[name] = weights.pop(of_release[name])  # in Paddle's layout
            continue
        shape = list(parameter.shape)[:: -1 if parameter.name in turned else 1]
        if theirs not in weights:
            if ".pooler." not in "." + name:
                wrong.append(theirs + " is missing")
            continue
        array = weights.pop(theirs)
        if list(array.shape) != shape:
            wrong.append(f"{theirs} is {list(array.shape)}, expected {shape}")
        named[name] = np.ascontiguousarray(array.T) if parameter.name in turned else array
    if wrong:
        more = f"; and {len(wrong) - 8} more" if len(wrong) > 8 else ""
        raise Refused(f"the weights do not fit transformers' {architecture}: " + "; ".join(wrong[:8]) + more)
    notes = [
        "weights of transformers 4's own ErnieM under PaddleNLP's names, those of Linear layers transposed, by rules "
        "of the recorder's own; PaddleNLP's class computes"
    ]
    if weights:
        notes.append("not of this class, left out: " + ", ".join(sorted(weights)[:8]))
        weights.clear()
    return named, notes


def adapt_model(
    model: Any, fields: dict[str, Any], weights: Any, precision: str
) -> tuple[dict[str, Any] | None, list[str]]:
    """Give PaddleNLP's class the fields of the port's config that PaddleNLP does not know. Returns those fields and
    notes; None for weights that are not the port's."""
    if not is_port(weights):
        return None, []
    backbone = backbone_of(model)
    hidden, width = model.config.hidden_size, width_of(weights)
    notes = []
    if width != 4 * hidden:
        widen_layers(backbone, hidden, width)
        notes.append(f"feed-forward layers {width} wide, as the weights have them; PaddleNLP's are {4 * hidden}")
    epsilon = fields.get("layer_norm_eps")
    epsilon = PORT_EPSILON if epsilon is None else float(epsilon)
    follow_epsilon(model, epsilon, precision)
    notes.append(
        f"every LayerNorm with the epsilon {epsilon!r} of the config, by Paddle from mean and variance: its own kernel "
        "would round it to float32"
    )
    dropout = fields.get("act_dropout", 0.0)
    dropout = model.config.hidden_dropout_prob if dropout is None else dropout  # As the port takes it.
    return {"intermediate_size": width, "layer_norm_eps": epsilon, "act_dropout": dropout}, notes


def width_of(weights: Any) -> int:
    """The width of the feed-forward layers, from the first one's bias."""
    for name in weights:
        if name.endswith("encoder.layers.0.linear1.bias"):
            return int(weights[name].shape[0])
    raise Refused("the weights do not fit transformers' ErnieM: encoder.layers.0.linear1.bias is missing")


def widen_layers(backbone: Any, hidden: int, width: int) -> None:
    import paddle

    for layer in backbone.encoder.layers:
        layer.linear1, layer.linear2 = paddle.nn.Linear(hidden, width), paddle.nn.Linear(width, hidden)
