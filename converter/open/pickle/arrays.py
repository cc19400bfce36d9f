"""The few calls in the pickles of checkpoints, each in its exact form: arrays, dtypes, and Paddle's wrappers.

A name on the allowlist is not enough: numpy's own functions crash or allocate without bound when a file calls them with
other arguments. Nothing is called here; each call becomes a description of the value.
"""

from __future__ import annotations

import mmap
from typing import Callable

from converter.files.tensors import DTYPES, element_count, is_shape
from converter.open.pickle.values import (
    Extent,
    Global,
    Names,
    PickleArray,
    PickleDict,
    PickleDtype,
    PickleList,
    PickleScalar,
    Refusal,
    bytes_of,
    is_whole,
    text_of,
)

#: The code in the file -> the dtype. Paddle stores bfloat16 as uint16 bits, and nothing else as uint16.
_DTYPE_CODES = {
    "f8": "float64",
    "f4": "float32",
    "f2": "float16",
    "u2": "bfloat16",
    "i8": "int64",
    "i4": "int32",
    "i2": "int16",
    "i1": "int8",
    "u1": "uint8",
    "b1": "bool",
}

_NDARRAY = Global("numpy", "ndarray")
_EVAL = Global("builtins", "eval")


def known_global(module: str, name: str) -> Global | None:
    """The one name for a global of the allowlist (Python 2 and numpy 2 have others for the same); None for others."""
    if module == "__builtin__":
        module = "builtins"
    elif module.startswith("numpy._core."):
        module = "numpy.core." + module[len("numpy._core.") :]
    found = Global(module, name)
    return found if found in _CALLS or found == _NDARRAY else None


def call(function: object, arguments: object, buffer: mmap.mmap) -> object:
    """The description of the value that the call of REDUCE would make. Raises Refusal."""
    if not isinstance(function, Global):
        raise Refusal("E302", "calls what is no function")
    if type(arguments) is not tuple:
        raise Refusal("E302", f"calls {function} without a tuple of arguments")
    made = _CALLS[function](arguments, buffer) if function in _CALLS else None
    if made is None:
        if function == _EVAL:
            raise Refusal("E301", f"builtins.eval({text_of(arguments[0]) if arguments else ''})")
        raise Refusal("E305", f"calls {function} with arguments that no checkpoint has")
    return made


def build(target: object, state: object) -> None:
    """Complete a dtype or an array with its state, once, as BUILD does. Raises Refusal."""
    if isinstance(target, PickleDtype):
        _build_dtype(target, state)
    elif isinstance(target, PickleArray):
        _build_array(target, state)
    else:
        raise Refusal("E302", "BUILD sets the state of something that is neither an array nor a dtype")


def _build_dtype(dtype: PickleDtype, state: object) -> None:
    if type(state) is not tuple or len(state) != 8 or dtype.built:
        raise Refusal("E305", "the state of a dtype is not of the form that numpy writes")
    version, order, *names, itemsize, alignment, flags = state
    plain = is_whole(version, 3) and all(name is None for name in names)
    if not (plain and is_whole(itemsize, -1) and is_whole(alignment, -1) and is_whole(flags, 0)):
        raise Refusal("E305", "a dtype with fields, a size or flags of its own")
    expected = "|" if dtype.size == 1 else "<"
    if text_of(order) != expected:
        found = "big-endian" if text_of(order) == ">" else ascii(text_of(order))
        raise Refusal("E305", f"an array of dtype {dtype.code} with byte order {found}, expected {expected!r}")
    dtype.built = True


def _build_array(array: PickleArray, state: object) -> None:
    if type(state) is not tuple or len(state) != 5 or array.data is not None:
        raise Refusal("E305", "the state of an array is not of the form that numpy writes")
    version, shape, dtype, fortran, data = state
    if not is_whole(version, 1) or not (isinstance(fortran, bool) or is_whole(fortran, 0) or is_whole(fortran, 1)):
        raise Refusal("E305", "the state of an array is not of the form that numpy writes")
    if not isinstance(data, Extent) or data.kind not in ("bytes", "coded", "string"):
        raise Refusal("E305", "an array whose data are not bytes")
    _fill(array, shape, dtype, bool(fortran), data)


def _fill(array: PickleArray, shape: object, dtype: object, fortran: bool, data: Extent) -> None:
    if not isinstance(dtype, PickleDtype) or not dtype.built:
        raise Refusal("E305", "an array without a dtype")
    if type(shape) is not tuple or not is_shape(shape):
        raise Refusal("E305", "an array whose shape is no tuple of sizes")
    sizes: tuple[int, ...] = shape
    expected = element_count(sizes) * dtype.size
    if expected != data.decoded:
        facts = f"an array of shape {list(sizes)} and dtype {dtype.code}"
        raise Refusal("E305", f"{facts} takes {expected} bytes, and {data.decoded} are there")
    array.shape, array.dtype, array.data = sizes, dtype.name, data
    # The flag only has a meaning where row and column order differ; numpy sets it only there.
    array.fortran = fortran and sum(size > 1 for size in sizes) > 1


# One function per row of the allow-list. Each returns the description, or None when the arguments have another form.


def _reconstruct(arguments: tuple[object, ...], buffer: mmap.mmap) -> object | None:
    if len(arguments) != 3 or arguments[0] != _NDARRAY or bytes_of(arguments[2]) != b"b":
        return None
    shape = arguments[1]
    return PickleArray() if type(shape) is tuple and len(shape) == 1 and is_whole(shape[0], 0) else None


def _dtype(arguments: tuple[object, ...], buffer: mmap.mmap) -> object | None:
    if len(arguments) != 3 or not _is_flag(arguments[1], False) or not _is_flag(arguments[2], True):
        return None
    code = text_of(arguments[0])
    name = _DTYPE_CODES.get(code or "")
    if code is None or name is None:
        raise Refusal("E305", f"an array of dtype {ascii(code)[:40]}, which no tensor of Paddle has")
    return PickleDtype(code, name, DTYPES[name][1])


def _encode(arguments: tuple[object, ...], buffer: mmap.mmap) -> object | None:
    if len(arguments) != 2 or text_of(arguments[1]) != "latin1":
        return None
    text = arguments[0]
    if not isinstance(text, Extent) or text.kind != "text" or text.decoded is None:
        return None
    return text._replace(kind="coded")


def _ordered_dict(arguments: tuple[object, ...], buffer: mmap.mmap) -> object | None:
    made = PickleDict()
    if not arguments:
        return made
    if len(arguments) != 1 or not isinstance(arguments[0], PickleList) or arguments[0].used:
        return None
    arguments[0].used = True  # Many dicts made of one long list would cost without bound.
    for pair in arguments[0].items:  # Python 2: a list of [key, value]
        if not isinstance(pair, PickleList) or len(pair.items) != 2:
            return None
        key, value = pair.items
        set_item(made, key, value)
    return made


def set_item(target: PickleDict, key: object, value: object, names: Names | None = None) -> None:
    """Put one value under a key that is not there yet. Raises Refusal."""
    name = key if type(key) is int else text_of(key)
    if name is None:
        raise Refusal("E306", "a key that is neither a name nor a whole number")
    if name in target.items:
        raise Refusal("E306", f"the key {ascii(name)[:200]} is there twice. Which of the two is right?")
    target.items[name if names is None else names.keep(name)] = value


def _named_tensor(arguments: tuple[object, ...], buffer: mmap.mmap) -> object | None:
    pair = arguments[0] if len(arguments) == 1 else None
    if type(pair) is not tuple or len(pair) != 2 or text_of(pair[0]) is None or not isinstance(pair[1], PickleArray):
        return None
    return pair


def _lod_tensor(arguments: tuple[object, ...], buffer: mmap.mmap) -> object | None:
    """Paddle writes a DenseTensor as eval("data", {"data": array}); no other expression is a checkpoint's."""
    if len(arguments) != 2 or text_of(arguments[0]) != "data" or not isinstance(arguments[1], PickleDict):
        return None
    items = arguments[1].items
    data = items.get("data")
    return data if len(items) == 1 and isinstance(data, PickleArray) else None


def _scalar(arguments: tuple[object, ...], buffer: mmap.mmap) -> object | None:
    if len(arguments) != 2:
        return None
    dtype, data = arguments
    if not isinstance(dtype, PickleDtype) or not dtype.built or not isinstance(data, Extent):
        return None
    return PickleScalar(dtype.name, data) if data.kind != "text" and data.decoded == dtype.size else None


def _from_buffer(arguments: tuple[object, ...], buffer: mmap.mmap) -> object | None:
    if len(arguments) != 4 or text_of(arguments[3]) not in ("C", "F"):
        return None
    data, dtype, shape, order = arguments
    if not isinstance(data, Extent) or data.kind not in ("bytes", "bytearray"):
        return None
    array = PickleArray()
    _fill(array, shape, dtype, text_of(order) == "F", data)
    return array


def _no_bytes(arguments: tuple[object, ...], buffer: mmap.mmap) -> object | None:
    return None if arguments else Extent("bytes", buffer, 0, 0, 0)


def _is_flag(value: object, expected: bool) -> bool:
    """Python 3 writes the flags of a dtype as bools, Python 2 as 0 and 1."""
    return value is expected or is_whole(value, int(expected))


_CALLS: dict[Global, Callable[[tuple[object, ...], mmap.mmap], object | None]] = {
    Global("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    Global("numpy.core.multiarray", "scalar"): _scalar,
    Global("numpy.core.numeric", "_frombuffer"): _from_buffer,
    Global("numpy", "dtype"): _dtype,
    Global("_codecs", "encode"): _encode,
    Global("collections", "OrderedDict"): _ordered_dict,
    Global("builtins", "tuple"): _named_tensor,
    _EVAL: _lod_tensor,
    Global("builtins", "bytes"): _no_bytes,
}
