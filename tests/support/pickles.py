"""Pickles for the tests of the readers: real ones by the stdlib and numpy, hand-made ones opcode by opcode."""

from __future__ import annotations

import mmap
import os
import pickle
import struct
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from converter.files.tensors import SourceTensor, TensorSet
from converter.open.dispatch import open_weights

PROTOCOLS = (2, 3, 4, 5)


def numbered(*shape: int, dtype: str = "f4") -> np.ndarray:
    """An array in which every element is different."""
    return np.arange(1, 1 + int(np.prod(shape)), dtype=dtype).reshape(shape)


def state_dict() -> dict[str, Any]:
    """A small state dict as Paddle writes one: tensors, then the table of variable names."""
    tensors = {"a.weight": numbered(3, 5), "a.bias": -numbered(5), "b.weight": numbered(4, 4) / 7}
    table = {name: f"linear_{number}.w_0" for number, name in enumerate(tensors)}
    return {**tensors, "StructuredToParameterName@@": table}


def open_bytes(folder: Path, data: bytes, name: str = "model_state.pdparams") -> TensorSet:
    path = folder / name
    path.write_bytes(data)
    return open_weights(path)


def open_pickled(folder: Path, value: Any, protocol: int = 4) -> TensorSet:
    return open_bytes(folder, pickle.dumps(value, protocol))


def mapped(data: bytes) -> mmap.mmap:
    """Bytes as a map, without a name in the file system."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        return mmap.mmap(file.fileno(), len(data), access=mmap.ACCESS_READ)


def values(tensor: SourceTensor) -> np.ndarray:
    """The tensor's numbers as float32 (bfloat16 bits are the upper half of a float32)."""
    array = tensor.read()
    if tensor.dtype == "bfloat16":
        array = (array.astype("<u4") << 16).view("<f4")
    return array.astype("<f4")


def same(tensors: TensorSet, expected: dict[str, np.ndarray]) -> bool:
    """Whether names, shapes and every bit of every tensor agree."""
    if set(tensors.tensors) != set(expected):
        return False
    pairs = [(tensors.tensors[name].read(), array) for name, array in expected.items()]
    return all(a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes() for a, b in pairs)


# Opcodes by hand.


def text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def string(value: bytes) -> bytes:
    """Python 2's str."""
    return b"U" + bytes([len(value)]) + value if len(value) < 256 else b"T" + struct.pack("<i", len(value)) + value


def glob(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


DTYPE_STATE = b"(" + number(3) + text("<") + b"NNN" + number(-1) + number(-1) + number(0) + b"t"
EMPTY_ARRAY = glob("numpy.core.multiarray", "_reconstruct") + glob("numpy", "ndarray") + b"K\x00\x85C\x01b\x87R"


def dtype(code: str = "f4", state: bytes = DTYPE_STATE) -> bytes:
    return glob("numpy", "dtype") + text(code) + b"\x89\x88\x87R" + state + b"b"


def array(shape: bytes, data: bytes, code: bytes | None = None, fortran: bytes = b"\x89") -> bytes:
    """An array of protocol 3 whose parts are opcodes."""
    return EMPTY_ARRAY + b"(K\x01" + shape + (dtype() if code is None else code) + fortran + data + b"tb"


def raw(data: bytes) -> bytes:
    return b"B" + struct.pack("<I", len(data)) + data


def file_of(body: bytes, protocol: int = 3) -> bytes:
    return b"\x80" + bytes([protocol]) + body + b"."


def one_tensor(value: bytes) -> bytes:
    """A whole file: a dict with one item."""
    return file_of(b"}" + text("w") + value + b"s")


class Runs:
    """Pickles into a call of `function`, as an attacker's object does."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


def touch(marker: Path) -> Runs:
    """An object that creates `marker` when it is unpickled."""
    return Runs(os.system, f"touch {marker}")
