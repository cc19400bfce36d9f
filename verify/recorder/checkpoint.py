"""The checkpoint as Paddle reads it: name -> array, by paddle.load or safetensors' own reader."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from verify.recorder.telling import Refused, read_json

#: Where PaddleNLP looks for weights, in its order (transformers/model_utils.py).
WEIGHT_FILES = (
    "model.safetensors.index.json",
    "model.safetensors",
    "model_state.pdparams.index.json",
    "model_state.pdparams",
)


def weight_files(source: str, allowed: Any) -> Any:
    """The files that PaddleNLP would open, each of which must have been looked at before: pickles run code."""
    if os.path.isfile(source):
        found = [source]
    else:
        chosen = [name for name in WEIGHT_FILES if os.path.isfile(os.path.join(source, name))]
        if not chosen:
            found = list(allowed)
        elif chosen[0].endswith(".index.json"):
            names = sorted(set(read_json(os.path.join(source, chosen[0]))["weight_map"].values()))
            found = [os.path.join(source, name) for name in names]
        else:
            found = [os.path.join(source, chosen[0])]
    known = set(os.path.realpath(path) for path in allowed)
    for path in found:
        if os.path.realpath(path) not in known:
            raise Refused(f"PaddleNLP would read {path}, which is not among the files that were checked")
    return found


def read_weights(paths: Any) -> Any:
    """name -> array as stored: bfloat16 as its bits in uint16."""
    weights: dict[str, Any] = {}
    for path in paths:
        part = read_safetensors(path) if path.endswith(".safetensors") else read_pickle(path)
        twice = sorted(set(part) & set(weights))
        if twice:
            raise Refused(f"{twice[0]} is in two files")
        weights.update(part)
    if not weights:
        raise Refused("no arrays in " + ", ".join(os.path.basename(path) for path in paths))
    return weights


def read_safetensors(path: str) -> Any:
    from safetensors import safe_open

    try:
        with safe_open(path, framework="np") as file:
            names = file.keys()
            return dict((name, as_bits(file.get_tensor(name))) for name in names)
    except (TypeError, AttributeError, KeyError):  # BF16, which numpy does not know
        with safe_open(path, framework="paddle") as file:
            names = file.keys()
            return dict((name, file.get_tensor(name).numpy()) for name in names)


def as_bits(array: Any) -> Any:
    return array.view(np.uint16) if array.dtype.name == "bfloat16" else array


def read_pickle(path: str) -> Any:
    import paddle

    if not path.endswith(".pdparams"):
        raise Refused(f"{os.path.basename(path)}: this recorder reads .pdparams and .safetensors")
    try:
        return find_arrays(paddle.load(path, return_numpy=True))
    except KeyError:  # paddle.load stumbles over a table of names that names arrays which are not there
        return find_arrays(unpickle(path))


def unpickle(path: str) -> Any:
    """What paddle.load does, without its table of names. The file was checked before it came here."""
    import pickle

    from paddle.framework.io_utils import _pack_loaded_dict

    with open(path, "rb") as file:
        loaded = pickle.load(file, encoding="latin1")
    loaded.pop("StructuredToParameterName@@", None)
    return _pack_loaded_dict(loaded)


def find_arrays(loaded: Any) -> Any:
    """The state dict in what was unpickled: the object itself, or the one entry that holds the embeddings."""
    if not isinstance(loaded, dict):
        raise Refused(f"the file holds a {type(loaded).__name__}, not a state dict")
    if any(str(name).endswith("word_embeddings.weight") for name in loaded) or not any(
        isinstance(value, dict) and any(str(name).endswith("word_embeddings.weight") for name in value)
        for value in loaded.values()
    ):
        pairs = ((name, as_array(value)) for name, value in loaded.items())
        return dict((name, array) for name, array in pairs if array is not None)
    inner = [value for value in loaded.values() if isinstance(value, dict)]
    inner = [value for value in inner if any(str(name).endswith("word_embeddings.weight") for name in value)]
    if len(inner) != 1:
        raise Refused(f"the file holds {len(inner)} state dicts")
    return find_arrays(inner[0])


def as_array(value: Any) -> Any:
    if isinstance(value, tuple) and len(value) == 2:  # (variable name, array), as paddle.save nests tensors
        value = value[1]
    if isinstance(value, np.ndarray):
        return value
    return value.numpy() if hasattr(value, "numpy") else None
