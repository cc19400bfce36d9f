"""PaddleNLP's own class, with every weight in its place or the recording refused."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from verify.recorder.errors import Refused
from verify.recorder.families.family import Family
from verify.recorder.sources.arrays import round_array, widen

#: A block of what is put into a parameter, in the checkpoint's dtype.
BLOCK_BYTES = 1 << 20


def build_model(family: Family, name: str, fields: dict[str, Any], precision: str) -> Any:
    """PaddleNLP's class in `precision`, not initialised, in evaluation mode. Its `notes` describe how it was made."""
    import paddle
    from paddle.nn.initializer import Constant, set_global_initializer

    paddle.set_default_dtype(precision)
    set_global_initializer(Constant(0.0), Constant(0.0))
    model, notes = family.make_class(name, fields)
    model.eval()
    object.__setattr__(model, "notes", notes)
    return model


def set_weights(
    family: Family, model: Any, weights: dict[str, Any], precision: str, round_to: str | None
) -> tuple[list[str], bool]:
    """Put every array in its parameter. Returns notes and whether the weights have a pooler. Empties `weights`.

    Raises Refused for missing weights (a pooler may be missing where the class does not need it) and other shapes.
    """
    parameters = family.parameters_of(model)
    weights, targets, notes = family.name_weights(weights, parameters, model)
    notes = [*model.notes, *notes]
    missing = [name for name in parameters if name not in set(targets.values())]
    only_pooler = all(".pooler." in "." + name for name in missing)
    if missing and not (only_pooler and family.classes[type(model).__name__].may_lack_pooler):
        raise Refused("weights are missing: " + ", ".join(missing[:8]))
    if missing:
        notes.append("no pooler among the weights")
    left = [name for name, target in targets.items() if target not in parameters]
    if left:
        notes.append("not of this class, left out as PaddleNLP does: " + ", ".join(sorted(left)[:8]))
    for name in list(weights):
        array, target = weights.pop(name), parameters.get(targets[name])
        if target is None:
            continue
        if list(array.shape) != list(target.shape):
            raise Refused(f"{name} is {list(array.shape)}, PaddleNLP builds {list(target.shape)}")
        fill(target, array, precision, round_to)
    return notes, not missing


def fill(parameter: Any, array: Any, precision: str, round_to: str | None) -> None:
    """Set the values of a parameter, in its own memory block by block: another copy of a table of 250,002 words would
    take 1.5 GB in float64, and seconds."""
    view = memory_of(parameter)
    if view is None or array.ndim == 0:
        parameter.set_value(widen(round_array(array, round_to), precision))
        return
    rows = max(1, BLOCK_BYTES // max(1, array[:1].nbytes))
    for start in range(0, len(array), rows):
        view[start : start + rows] = widen(round_array(array[start : start + rows], round_to), precision)


def memory_of(parameter: Any) -> Any:
    """A parameter's memory as an array, or None where this Paddle does not give it."""
    try:
        view, again = np.from_dlpack(parameter.detach()), np.from_dlpack(parameter.detach())
    except Exception:  # whatever an older Paddle or numpy raises
        return None
    # A copy would have another place each time.
    shared = view.ctypes.data == again.ctypes.data and list(view.shape) == list(parameter.shape)
    return view if shared and view.flags.writeable else None


def epsilons(model: Any) -> list[float]:
    """The epsilon of every LayerNorm as Paddle's kernel gets it, in float32 whatever the precision of the model. A norm
    with an `exact_epsilon` adds that one instead."""
    norms = [part for part in model.sublayers() if type(part).__name__ == "LayerNorm"]
    return sorted({getattr(part, "exact_epsilon", float(np.float32(part._epsilon))) for part in norms})


def split_cases(family: Family, model: Any, cases: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[str]]:
    """The cases that this release of PaddleNLP can run, and a note on those that it cannot."""
    known = set(inspect.signature(type(family.backbone_of(model)).forward).parameters)
    usable = [case for case in cases if "inputs_embeds" not in case["inputs"] or "inputs_embeds" in known]
    left = sorted(case["name"] for case in cases if not any(case is other for other in usable))
    return usable, (["not recorded, as this PaddleNLP takes no inputs_embeds: " + ", ".join(left)] if left else [])
