"""The checkpoint as Paddle reads it: name -> array, by paddle.load or safetensors' own reader."""

from __future__ import annotations

import os
import sys
from typing import Any

import numpy as np

from verify.recorder.errors import Refused
from verify.recorder.families.family import Family
from verify.recorder.files import content_of, read_json
from verify.recorder.sources.static_graph import is_static, read_static
from verify.recorder.sources.torch_file import read_torch

#: What a converted folder keeps of the checkpoint that it was made from.
EXTRAS_FILE = "release_extras.safetensors"
#: Where PaddleNLP looks for weights, in its order (transformers/model_utils.py), then torch's. Repeated from
#: converter/open/folder.py: the recorder reads nothing of the converter.
WEIGHT_FILES = (
    "model.safetensors.index.json",
    "model.safetensors",
    "model_state.pdparams.index.json",
    "model_state.pdparams",
    "pytorch_model.bin.index.json",
    "pytorch_model.bin",
)


def weight_files(source: str, allowed: list[str] | None) -> list[str]:
    """The files to open: those that PaddleNLP would, else those that `allowed` names. With `allowed` each of them must
    have been looked at before, as pickles run code; None stands for a person who trusts SOURCE."""
    if allowed and is_static(allowed):
        found = list(allowed)  # PaddleNLP opens no static graph: nothing here to look for.
    elif os.path.isfile(source):
        found = read_index(source) if source.endswith(".json") and ".index." in os.path.basename(source) else [source]
    else:
        found = chosen_by_paddlenlp(source) or (find_static(source) if allowed is None else list(allowed))
    if allowed is None:
        return found
    found += [path for path in allowed if os.path.basename(path) == EXTRAS_FILE and path not in found]
    known = set(os.path.realpath(path) for path in allowed)
    for path in found:
        if os.path.realpath(path) not in known:
            raise Refused(f"PaddleNLP would read {path}, which is not among the files that were checked")
    return found


def chosen_by_paddlenlp(folder: str) -> list[str]:
    """The weight files in PaddleNLP's order, every shard of an index; none when it would find none."""
    chosen = [name for name in WEIGHT_FILES if os.path.isfile(os.path.join(folder, name))]
    if chosen and chosen[0].endswith(".index.json"):
        return read_index(os.path.join(folder, chosen[0]))
    return [os.path.join(folder, name) for name in chosen[:1]]


def read_index(path: str) -> list[str]:
    """The shards that an index names."""
    names = sorted(set(read_json(path)["weight_map"].values()))
    return [os.path.join(os.path.dirname(path), name) for name in names]


def find_static(folder: str) -> list[str]:
    """The files of a static graph in a folder that nobody has looked through: params/, or one combined file with its
    program. Raises Refused when there is not exactly one of them."""
    inside = os.path.join(folder, "params")
    if os.path.isdir(inside):
        return sorted(os.path.join(inside, name) for name in os.listdir(inside))
    names = sorted(os.listdir(folder))
    weights = [name for name in names if name in ("params", "__params__") or name.endswith(".pdiparams")]
    if len(weights) != 1:
        raise Refused(f"{folder}: nothing that PaddleNLP opens, and {len(weights)} static graphs. Name the file")
    stem = weights[0].rsplit(".", 1)[0]
    programs = [name for name in names if name in (stem + ".json", stem + ".pdmodel", "__model__", "__model__.json")]
    return [os.path.join(folder, name) for name in weights + programs]


def read_weights(
    paths: list[str], family: Family, layers: int | None = None, architecture: str | None = None
) -> dict[str, Any]:
    """name -> array as stored: bfloat16 as its bits in uint16. `layers` and `architecture` are for files without
    names."""
    if is_static(paths):
        return read_static(paths, family, layers, architecture)
    weights: dict[str, Any] = {}
    for path in paths:
        part = read_file(path, family)
        twice = sorted(set(part) & set(weights))
        if twice:
            raise Refused(f"{twice[0]} is in two files")
        weights.update(part)
    if not weights:
        raise Refused("no arrays in " + ", ".join(os.path.basename(path) for path in paths))
    return weights


def read_file(path: str, family: Family) -> dict[str, Any]:
    """The arrays of one file, by its content, else by its name."""
    kind = content_of(path)
    if kind == "safetensors" or (not kind and path.endswith(".safetensors")):
        return read_safetensors(path)
    if kind == "torch" or (not kind and path.endswith(".bin")):
        return read_torch(path)
    return read_pickle(path, family)


def read_safetensors(path: str) -> dict[str, Any]:
    """The arrays of a safetensors file."""
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
    """bfloat16 as uint16, other dtypes as they are."""
    return array.view(np.uint16) if array.dtype.name == "bfloat16" else array


def read_pickle(path: str, family: Family) -> dict[str, Any]:
    """The arrays of a pickle, by paddle.load."""
    import paddle

    if not path.endswith(".pdparams") and content_of(path) != "pickle":
        raise Refused(f"{os.path.basename(path)}: this recorder reads Paddle's pickles, safetensors and torch's zips")
    name_numpy_core()
    try:
        arrays = find_arrays(paddle.load(path, return_numpy=True), family.word_table)
    except KeyError:  # paddle.load stumbles over a table of names that names arrays which are not there
        return find_arrays(unpickle(path), family.word_table)
    if any(name.endswith(family.word_table) or family.release_name(name) for name in arrays):
        return arrays
    return name_by_table(arrays, paddle.load(path, return_numpy=True, keep_name_table=True), family)


def name_by_table(arrays: dict[str, Any], loaded: Any, family: Family) -> dict[str, Any]:
    """Arrays under the names of their variables, where the file has a table of them and they are a release's: classes
    of other toolkits have keys of their own, and variables of these names."""
    table = loaded.get("StructuredToParameterName@@") if isinstance(loaded, dict) else None
    if not isinstance(table, dict) or not any(family.release_name(str(name)) for name in table.values()):
        return arrays
    named: dict[str, Any] = {}
    for key, array in arrays.items():
        name = str(table.get(key, key))
        if name in named and not np.array_equal(named[name], array):
            raise Refused(f"two tensors of the file are the variable {name}, and differ")
        named.setdefault(name, array)
    return named


def name_numpy_core() -> None:
    """Arrays that numpy 2 pickled ask for numpy._core, which numpy 1 calls numpy.core."""
    try:
        __import__("numpy._core.multiarray")
    except ImportError:
        for name in ("multiarray", "numeric"):
            sys.modules["numpy._core." + name] = getattr(np.core, name)
        sys.modules["numpy._core"] = np.core


def unpickle(path: str) -> Any:
    """What paddle.load does, without its table of names. The file was checked before it came here."""
    import pickle

    from paddle.framework.io_utils import _pack_loaded_dict

    with open(path, "rb") as file:
        loaded = pickle.load(file, encoding="latin1")
    loaded.pop("StructuredToParameterName@@", None)
    return _pack_loaded_dict(loaded)


def find_arrays(loaded: Any, word_table: str) -> dict[str, Any]:
    """The state dict in what was unpickled: the object itself, or the one entry that holds the table of words."""
    if not isinstance(loaded, dict):
        raise Refused(f"the file holds a {type(loaded).__name__}, not a state dict")
    if any(str(name).endswith(word_table) for name in loaded) or not any(
        isinstance(value, dict) and any(str(name).endswith(word_table) for name in value) for value in loaded.values()
    ):
        pairs = ((name, as_array(value)) for name, value in loaded.items())
        return dict((name, array) for name, array in pairs if array is not None)
    inner = [value for value in loaded.values() if isinstance(value, dict)]
    inner = [value for value in inner if any(str(name).endswith(word_table) for name in value)]
    if len(inner) != 1:
        raise Refused(f"the file holds {len(inner)} state dicts")
    return find_arrays(inner[0], word_table)


def as_array(value: Any) -> Any:
    """A numpy array for an entry of a state dict; None for an entry that is no tensor."""
    if isinstance(value, tuple) and len(value) == 2:  # (variable name, array), as paddle.save nests tensors
        value = value[1]
    if isinstance(value, np.ndarray):
        return value
    return value.numpy() if hasattr(value, "numpy") else None
