"""`pytorch_model.bin` without torch: a zip archive with one pickle, and for each storage a record of its bytes.

The pickle is read by an unpickler that knows what torch.save makes tensors of and refuses all else, so nothing in it
runs. Written from torch/serialization.py (`_save`, `persistent_id`) and torch/_utils.py (`_rebuild_tensor_v2`).
"""

from __future__ import annotations

import os
import pickle
import zipfile
from collections import OrderedDict
from typing import Any

import numpy as np

from verify.recorder.errors import Refused
from verify.recorder.files import content_of

#: Kind of storage -> how numpy calls its elements; bfloat16 as its bits.
STORAGES = {
    "FloatStorage": "f4",
    "DoubleStorage": "f8",
    "HalfStorage": "f2",
    "BFloat16Storage": "u2",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
SAVE_AGAIN = "Save the model again as model.safetensors: transformers 4's save_pretrained does"


def read_torch(path: str) -> dict[str, Any]:
    """name -> array of every tensor in the table that the file holds. Raises Refused."""
    name = os.path.basename(path)
    with open(path, "rb") as file:
        if file.read(4) != b"PK\x03\x04":
            text = "is in the form of torch before 1.6, or no file of torch.save: this recorder does not read it"
            raise Refused(f"{name} {text}. {SAVE_AGAIN}")
    try:
        with zipfile.ZipFile(path) as archive:
            loaded = read_archive(archive)
    except Refused as error:
        raise Refused(f"{name}: {error}. {SAVE_AGAIN}") from None
    except Exception as error:  # zipfile and pickle raise many kinds for damage
        raise Refused(f"{name} is damaged, or no file of torch.save: {type(error).__name__}: {error}") from error
    if not isinstance(loaded, dict):
        raise Refused(f"{name} holds a {type(loaded).__name__}, not a table of tensors")
    return dict((str(key), value) for key, value in loaded.items() if isinstance(value, np.ndarray))


def read_archive(archive: Any) -> Any:
    """What the pickle of the archive holds, with arrays for tensors."""
    pickles = [entry.filename for entry in archive.infolist() if entry.filename.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise Refused(f"a zip archive with {len(pickles)} data.pkl, expected 1")
    with archive.open(pickles[0]) as file:
        return TensorUnpickler(file, archive, pickles[0][: -len("data.pkl")]).load()


class TensorUnpickler(pickle.Unpickler):
    """Knows tables, tensors and storages; whatever else a pickle asks for is refused by its name."""

    def __init__(self, file: Any, archive: Any, folder: str) -> None:
        super().__init__(file)
        self.archive, self.folder = archive, folder
        self.storages: dict[str, Any] = {}
        named = set(archive.namelist())
        is_big = folder + "byteorder" in named and archive.read(folder + "byteorder") == b"big"
        self.order = ">" if is_big else "<"

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return rebuild_tensor
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return rebuild_parameter
        if module == "torch" and name in STORAGES:
            return STORAGES[name]  # A text: it can be called for nothing.
        raise Refused(f"its pickle asks for {module}.{name}, which no plain tensor is made of. Not loaded")

    def persistent_load(self, given: Any) -> Any:
        """The elements of a storage, from its record; zipfile compares the record's sum."""
        kind, elements, key, _, count = given
        if kind != "storage" or elements not in STORAGES.values():
            raise Refused(f"its pickle asks for {kind!r:.40} of {elements!r:.40}, expected a storage")
        if key not in self.storages:
            entry = self.archive.getinfo(f"{self.folder}data/{key}")
            if entry.compress_type != zipfile.ZIP_STORED:
                raise Refused(f"its record {key} is packed; torch.save stores records as they are")
            data = np.frombuffer(self.archive.read(entry), np.dtype(elements).newbyteorder(self.order))
            self.storages[key] = data.astype(data.dtype.newbyteorder("="), copy=False)
        found = self.storages[key]
        if len(found) != count:
            raise Refused(f"its record {key} has {len(found)} elements, its pickle has {count}")
        return found


def rebuild_tensor(storage: Any, offset: Any, size: Any, stride: Any, *others: Any) -> Any:
    """A tensor's elements out of its storage, in C order. Raises Refused where it reaches outside, or repeats them."""
    size, stride = [int(number) for number in size], [int(number) for number in stride]
    count = 1
    for number in size:  # Not numpy's product, which wraps around.
        count *= number
    last = int(offset) + sum((number - 1) * step for number, step in zip(size, stride))
    wrong = len(size) != len(stride) or min([int(offset), *size, *stride]) < 0
    if wrong or count > len(storage) or (count > 0 and last >= len(storage)):
        raise Refused(f"a tensor {size} with steps {stride} from {offset} does not lie in its {len(storage)} elements")
    if count == 0:
        return np.zeros(size, storage.dtype)
    steps = [step * storage.itemsize for step in stride]
    return np.ascontiguousarray(np.lib.stride_tricks.as_strided(storage[int(offset) :], size, steps)).reshape(size)


def rebuild_parameter(data: Any, *others: Any) -> Any:
    return data


def reader_notes(paths: list[str]) -> list[str]:
    """A note on how these files were read, if it was by this reader."""
    read = any(content_of(path) == "torch" for path in paths)
    return ["torch's zip archive was read by the recorder itself, without torch"] if read else []
