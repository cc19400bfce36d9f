"""PyTorch folders of transformers' own Ernie and Electra: their weights in PaddleNLP's class.

Written from both programs' sources (transformers 4.57 and 5, models/ernie and models/electra; paddlenlp,
transformers/ernie and transformers/electra)."""

from __future__ import annotations

from typing import Any

import numpy as np

from verify.recorder.errors import Refused

#: Part of a name in PaddleNLP -> in the port, the longer ones first.
PARTS = (
    ("cls.predictions.transform.", "cls.predictions.transform.dense."),
    ("cls.predictions.layer_norm.", "cls.predictions.transform.LayerNorm."),
    ("cls.predictions.decoder.bias", "cls.predictions.bias"),
    ("embeddings.layer_norm.", "embeddings.LayerNorm."),
    ("encoder.layers.", "encoder.layer."),
    (".self_attn.q_proj.", ".attention.self.query."),
    (".self_attn.k_proj.", ".attention.self.key."),
    (".self_attn.v_proj.", ".attention.self.value."),
    (".self_attn.out_proj.", ".attention.output.dense."),
    (".norm1.", ".attention.output.LayerNorm."),
    (".norm2.", ".output.LayerNorm."),
    (".linear1.", ".intermediate.dense."),
    (".linear2.", ".output.dense."),
    ("discriminator_rtd.", "discriminator_predictions."),
    ("generator_predictions.layer_norm.", "generator_predictions.LayerNorm."),
    ("generator_lm_head_bias", "generator_lm_head.bias"),
    ("sequence_summary.dense.", "sequence_summary.summary."),
)


def is_port(weights: Any) -> bool:
    """Whether these names are the port's, whose layers have other names than PaddleNLP's."""
    return any("encoder.layer.0." in name for name in weights)


def name_in_port(parameter: str, architecture: str) -> str:
    """The port's name of a parameter that PaddleNLP has under this name."""
    if architecture.endswith("ForQuestionAnswering") and parameter.startswith("classifier."):
        return "qa_outputs." + parameter[len("classifier.") :]
    for ours, theirs in PARTS:
        parameter = parameter.replace(ours, theirs)
    return parameter


def name_port(weights: Any, parameters: Any, model: Any, prefix: str) -> tuple[dict[str, Any], list[str]]:
    """The port's weights under PaddleNLP's names and in its layout, and notes. Empties `weights`. Raises Refused that
    names what is missing; a pooler may be missing."""
    import paddle

    turned = set(part.weight.name for part in model.sublayers() if isinstance(part, paddle.nn.Linear))
    named, missing = {}, []
    for name, parameter in parameters.items():
        theirs = name_in_port(name, type(model).__name__)
        bare = theirs[len(prefix) :] if theirs.startswith(prefix) else prefix + theirs
        found = next((spelled for spelled in (theirs, bare) if spelled in weights), None)
        if found is not None:
            array = weights.pop(found)
            named[name] = np.ascontiguousarray(array.T) if parameter.name in turned else array
        elif ".pooler." not in "." + name:
            missing.append(theirs)
    if missing:
        raise Refused("the weights do not fit transformers' class; missing are " + ", ".join(missing[:8]))
    notes = ["weights of transformers' own class under PaddleNLP's names, those of Linear layers transposed"]
    if weights:
        notes.append("not of this class, left out: " + ", ".join(sorted(weights)[:8]))
        weights.clear()
    return named, notes
