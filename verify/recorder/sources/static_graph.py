"""Weights of static graphs, by Paddle's own loaders: one file a variable, one file for all, with or without a program.

With a program (.json, .pdmodel) Paddle reads both. Without one the file holds no names: they are one of the family's
lists (`Family.combined_names`).
"""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np

from verify.recorder.errors import Refused
from verify.recorder.families.family import Family
from verify.recorder.files import content_of

#: What Paddle's loader adds to a name: linear_0.w_0 is linear_0.w_0_0, before 3.0 linear_0.w_0.load_0.
LOADED_SUFFIX = re.compile(r"(\.load)?_\d+$")
PROGRAMS = (".json", ".pdmodel")
#: Of the largest number: the program computes in float32 through some dozens of layers.
PROGRAM_LIMIT = 1e-4


def is_static(paths: list[str]) -> bool:
    """Whether these are the files of a static graph: no pickle, no safetensors and none of torch's among them."""
    weights = [path for path in paths if not is_description(path)]
    return bool(paths) and not any(content_of(path) or is_old_pickle(path) for path in weights)


def is_old_pickle(path: str) -> bool:
    """Whether a .pdparams is a pickle of a protocol that has no start of its own; a static graph's tensor has zeros."""
    with open(path, "rb") as file:
        return path.endswith(".pdparams") and file.read(4) != bytes(4)


def is_description(path: str) -> bool:
    """Whether a file describes a static graph, and holds none of its weights."""
    return path.endswith((*PROGRAMS, ".info")) or os.path.basename(path).startswith("__model__")


def read_static(paths: list[str], family: Family, layers: int | None, architecture: str | None) -> dict[str, Any]:
    """name of the variable -> array as stored. `layers` and `architecture` are the config's, if it has them."""
    programs = [path for path in paths if path.endswith(PROGRAMS) or os.path.basename(path).startswith("__model__")]
    others = [path for path in paths if not is_description(path)]
    if len(others) > 1:
        return dict((os.path.basename(path), read_variable(path)) for path in others)
    if len(others) != 1:
        raise Refused("no weights among " + ", ".join(os.path.basename(path) for path in paths))
    if programs:
        return read_program(programs[0], others[0])
    return read_combined(others[0], family, layers, architecture)


def read_variable(path: str) -> Any:
    """One tensor from a file of its own."""
    from paddle.framework import io

    load = getattr(io, "_load_dense_tensor", None) or io._load_lod_tensor
    tensor, end = load(path)
    if end != os.path.getsize(path):
        raise Refused(f"{os.path.basename(path)}: Paddle reads {end} bytes of {os.path.getsize(path)}")
    return np.array(tensor)


def read_program(program: str, weights: str) -> dict[str, Any]:
    """A program with its weights, as Paddle loads it."""
    layer = load_program(program, weights)
    return dict((LOADED_SUFFIX.sub("", value.name), value.numpy()) for value in layer.state_dict().values())


def load_program(program: str, weights: str) -> Any:
    """The program as a layer that can be called."""
    import paddle

    folder = os.path.dirname(program)
    options = {"params_filename": os.path.basename(weights)}
    if program.endswith(PROGRAMS) and os.path.splitext(program)[0] == os.path.splitext(weights)[0]:
        return paddle.jit.load(os.path.splitext(program)[0])
    try:
        return paddle.jit.load(folder, model_filename=os.path.basename(program), **options)
    except Exception as error:
        name = os.path.basename(program)
        raise Refused(f"Paddle {paddle.__version__} does not load {name}: {type(error).__name__}: {error}") from error


def read_combined(path: str, family: Family, layers: int | None, architecture: str | None) -> dict[str, Any]:
    """All tensors from one file without names: names of a release in text order, as its writer sorts them.

    Paddle refuses a list that is too long or too short; shapes distinguish a pooler from a head. Heads do not differ in
    shape, so `architecture` must be given for a model with one.
    """
    if layers is None:
        raise Refused(f"{os.path.basename(path)} holds no names, and no config gives the number of layers")
    reasons = []
    for names in family.combined_names(layers, architecture):
        try:
            found = dict(zip(names, load_combined(path, names)))
        except Exception as error:  # Paddle's message for a list that does not fit the file
            reasons.append(str(error).strip().splitlines()[-1])
            continue
        if family.fits_combined(found):
            return found
        reasons.append("the shapes are not those of these names")
    raise Refused(f"{os.path.basename(path)} is no file with the release's names for {layers} layers: {reasons[0]}")


def load_combined(path: str, names: Any) -> Any:
    """Arrays of one file, by Paddle's operator for it, which needs every name."""
    import paddle

    core = paddle.base.core if hasattr(paddle, "base") else paddle.fluid.core
    if hasattr(core, "load_combine_func"):
        tensors = [core.DenseTensor() if hasattr(core, "DenseTensor") else core.LoDTensor() for _ in names]
        for tensor in tensors:
            tensor.set(np.zeros(1, np.float32), paddle.CPUPlace())  # It needs one that is allocated.
        core.load_combine_func(path, list(names), tensors, False, paddle.CPUPlace())
        return [np.array(tensor) for tensor in tensors]
    from paddle.fluid import framework

    made = [framework._varbase_creator(name="combined_" + name, persistable=True) for name in names]
    framework._dygraph_tracer().trace_op("load_combine", {}, {"Out": made}, {"file_path": path})
    return [tensor.numpy() for tensor in made]


def check_program(paths: list[str], model: Any) -> list[str]:
    """Run an exported program on ids, if it takes nothing else, and compare the model with its weights.

    That shows that the weights have the right names. Returns notes; raises Refused when the outputs differ.
    """
    import paddle

    programs = [path for path in paths if path.endswith(PROGRAMS)] if is_static(paths) else []
    if not programs:
        return []
    layer = load_program(programs[0], next(path for path in paths if path.endswith(".pdiparams")))
    takes = layer._input_spec()
    if len(takes) != 1 or takes[0].dtype != paddle.int64 or len(takes[0].shape) != 2:
        return ["the program takes other inputs than PaddleNLP's classes: it was not run"]
    ids = paddle.to_tensor(np.array([[0, 3, 5, 4, 2], [0, 4, 2, 1, 1]], np.int64))
    with paddle.no_grad():
        program, built = layer(ids), model(ids)
    outputs = [value[0] if isinstance(value, (list, tuple)) else value for value in (program, built)]
    one, other = [value.numpy().astype(np.float64) for value in outputs]
    worst = np.abs(one - other).max() if one.shape == other.shape else np.inf
    if not worst <= PROGRAM_LIMIT * max(1.0, np.abs(other).max()):
        raise Refused(f"the exported program and PaddleNLP's class with its weights differ by {worst:.1e}")
    return [f"the exported program itself gives the same numbers in float32 (difference {worst:.0e})"]
