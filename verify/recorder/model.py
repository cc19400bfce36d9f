"""PaddleNLP's own class, with every weight put in its place or the recording refused."""

from __future__ import annotations

from typing import Any

import numpy as np

from verify.recorder.generations import make_class, parameters_of
from verify.recorder.official import name_as_paddlenlp
from verify.recorder.port import is_port, name_port
from verify.recorder.telling import Refused
from verify.recorder.values import round_array, widen


def build_model(name: str, fields: Any, precision: str) -> Any:
    """PaddleNLP's class in `precision`, not initialised: every weight is set, or the recording is refused."""
    import paddle
    from paddle.nn.initializer import Constant, set_global_initializer

    paddle.set_default_dtype(precision)
    set_global_initializer(Constant(0.0), Constant(0.0))
    model, notes = make_class(name, fields)
    model.eval()
    object.__setattr__(model, "notes", notes)
    return model


def set_weights(model: Any, weights: Any, precision: str, round_to: Any) -> Any:
    """Put every array in its parameter. Returns notes; refuses missing weights and other shapes."""
    parameters = parameters_of(model)
    name_weights = name_port if is_port(weights) else name_as_paddlenlp
    weights, notes = name_weights(weights, parameters, model)
    notes = [*model.notes, *notes]
    if not any(name in parameters for name in weights if name.endswith("embeddings.word_embeddings.weight")):
        prefix = model.base_model_prefix + "."
        renamed, note = rename(weights, prefix, any(name.startswith(prefix) for name in parameters))
        notes.append(note)
    else:
        renamed = dict((name, name) for name in weights)
    missing = [name for name in parameters if name not in set(renamed.values())]
    pooler = all(".pooler." in "." + name for name in missing)
    if missing and not (
        pooler and type(model).__name__ not in ("ErnieMForSequenceClassification", "ErnieMForMultipleChoice")
    ):
        raise Refused("weights are missing: " + ", ".join(missing[:8]))
    if missing:
        notes.append("no pooler among the weights")
    left = [name for name, target in renamed.items() if target not in parameters]
    if left:
        notes.append("not of this class, left out as PaddleNLP does: " + ", ".join(sorted(left)[:8]))
    for name in list(weights):
        array, target = weights.pop(name), parameters.get(renamed[name])
        if target is None:
            continue
        if list(array.shape) != list(target.shape):
            raise Refused(f"{name} is {list(array.shape)}, PaddleNLP builds {list(target.shape)}")
        target.set_value(widen(round_array(array, round_to), precision))
    return notes, not missing


def rename(weights: Any, prefix: str, with_head: bool) -> Any:
    """Names as PaddleNLP 2.8 has them: UIEM before 2.5 said `encoder.`, and a base model may come with its prefix.
    `with_head`: the model has one, and its encoder's names the prefix."""
    if any(name.startswith("encoder.embeddings.") for name in weights):
        target = prefix if with_head else ""
        changed = dict((name, target + name[8:] if name.startswith("encoder.") else name) for name in weights)
        return changed, f"names of PaddleNLP before 2.5: `encoder.` was read as `{target}`"
    if any(name.startswith(prefix) for name in weights):
        changed = dict((name, name[len(prefix) :] if name.startswith(prefix) else name) for name in weights)
        return changed, f"`{prefix}` was taken off the names, as PaddleNLP does for a model without a head"
    raise Refused(f"no weight has a name of this class; the first is {sorted(weights)[0]}")


def epsilons(model: Any) -> Any:
    """Of every LayerNorm, as Paddle's kernel gets it: a float32, whatever the precision of the model. The port's is
    the config's own."""
    norms = [part for part in model.sublayers() if type(part).__name__ == "LayerNorm"]
    return sorted(set(getattr(part, "exact_epsilon", float(np.float32(part._epsilon))) for part in norms))
