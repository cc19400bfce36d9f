"""Read the weight files of OUTPUT, accounting for every byte. Damage is reported as a finding, not raised."""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from converter.common.errors import Problem
from converter.common.layout import EXTRAS_FILE, INDEX_FILE, SINGLE_FILE
from converter.files.regular_files import HEAD_BYTES, is_safetensors, quoted, recognise, unsafe_name
from converter.files.tensors import DTYPES

if TYPE_CHECKING:
    import numpy as np

_NAMES = {stored: name for name, (_, _, stored) in DTYPES.items()}
#: What transformers 4.57 loads without another framework, where the metadata has a format at all.
_LOADED_FORMATS = ("pt", "mlx")
#: Weights in other formats, which from_pretrained does not read while there are safetensors.
_OTHER_WEIGHTS = ("pytorch_model*.bin", "pytorch_model*.bin.index.json", "tf_model*.h5", "flax_model*.msgpack")
_WHO_READS_THEM = "use_safetensors=False and older programs read them"
_LONGEST_HEADER = 100 << 20
_LISTED = 8


@dataclass(frozen=True)
class WrittenTensor:
    """A tensor of OUTPUT: facts, and where its bytes are."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    path: Path
    start: int
    end: int

    def read(self) -> np.ndarray:
        """The array over a memory map (bfloat16 as uint16 bits)."""
        import numpy as np

        return np.memmap(self.path, np.dtype(DTYPES[self.dtype][0]), "r", self.start, self.shape or (1,)).reshape(
            self.shape
        )

    def read_bytes(self) -> np.ndarray:
        import numpy as np

        return np.memmap(self.path, np.uint8, "r", self.start, (self.end - self.start,))


@dataclass
class WrittenWeights:
    """What the weight files of OUTPUT hold, and what is wrong with the files themselves."""

    tensors: dict[str, WrittenTensor] = field(default_factory=dict)
    #: Weights of the source that the model has no place for, in a file that loading it does not read.
    extras: dict[str, WrittenTensor] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def read_written(output: Path) -> WrittenWeights:
    """Every tensor in the weight files that from_pretrained would open."""
    found = WrittenWeights()
    single, index = output / SINGLE_FILE, output / INDEX_FILE
    if single.is_file():
        names: dict[str, set[str] | None] = {SINGLE_FILE: None}
        if index.exists():
            found.problems.append(
                Problem("E405", f"{INDEX_FILE} lies next to {SINGLE_FILE}, which is read instead of it")
            )
    elif index.is_file():
        names = _read_index(index, found)
    else:
        found.problems.append(Problem("E405", _why_absent(output)))
        names = {}
    for name, listed in names.items():
        _read_file(output / name, listed, found)
    if (output / EXTRAS_FILE).is_file():
        aside = WrittenWeights()
        _read_file(output / EXTRAS_FILE, None, aside)
        found.extras = aside.tensors
        found.problems += aside.problems
        names = {**names, EXTRAS_FILE: None}
    weights = sorted(path.name for path in output.glob("*.safetensors"))
    stray = [name for name in weights if name not in (*names, SINGLE_FILE)]
    if stray:
        found.problems.append(Problem("E405", f"{', '.join(stray)}: weight files that nothing refers to"))
    others = sorted(path.name for pattern in _OTHER_WEIGHTS for path in output.glob(pattern))
    if others:
        found.warnings.append(f"{', '.join(others)}: other weights, which were not looked at. {_WHO_READS_THEM}")
    return found


def _why_absent(output: Path) -> str:
    """What stands in the place of the weights: nothing, or something that has their name and cannot be read."""
    for path in (output / SINGLE_FILE, output / INDEX_FILE):
        if path.is_symlink() or path.exists():
            what = "a link to a file that is gone" if path.is_symlink() else "not a regular file"
            return f"{path.name} is {what}"
    return f"{output.name}: neither {SINGLE_FILE} nor {INDEX_FILE} is there"


def _read_index(path: Path, found: WrittenWeights) -> dict[str, set[str] | None]:
    try:
        table = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_no_key_twice)["weight_map"]
        files: dict[str, set[str] | None] = {}
        for tensor, file in table.items():
            if not isinstance(file, str) or unsafe_name(file):
                raise ValueError(f"{tensor:.200} is listed in {file!r:.200}, expected a file name")
            listed = files.setdefault(file, set())
            assert listed is not None
            listed.add(tensor)
        return files
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        found.problems.append(Problem("E405", f"{path.name} is not a usable index: {error}"))
        return {}


def find_names_outside(output: Path) -> list[Problem]:
    """What would lead from_pretrained out of OUTPUT: an index with other names than those of files next to it. Such a
    folder is not loaded at all. An index that cannot be read is the finding of another check."""
    index = output / INDEX_FILE
    try:
        table = json.loads(index.read_text(encoding="utf-8"), object_pairs_hook=list) if index.is_file() else []
    except (OSError, ValueError, RecursionError):
        return []
    pairs = [pair for pair in table if isinstance(pair, tuple)] if isinstance(table, list) else []
    maps = [value for key, value in pairs if key == "weight_map" and isinstance(value, list)]
    files = [pair[1] for found in maps for pair in found if isinstance(pair, tuple) and isinstance(pair[1], str)]
    odd = {name: reason for name in dict.fromkeys(files) if (reason := unsafe_name(name))}
    effect = "Nothing in OUTPUT was loaded"
    return [
        Problem("E414", f"{INDEX_FILE} names the file {quoted(name, 120)}, which {reason}. {effect}")
        for name, reason in list(odd.items())[:_LISTED]
    ]


def _read_file(path: Path, listed: set[str] | None, found: WrittenWeights) -> None:
    try:
        entries, metadata = _read_header(path)
    except FileNotFoundError:
        named = "" if listed is None else f", and {INDEX_FILE} names it"
        found.problems.append(Problem("E405", f"{path.name} is not there{named}. Convert again"))
        return
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, struct.error) as error:
        found.problems.append(Problem("E405", f"{path.name} is {_other_kind(path) or f'damaged: {error}'}"))
        return
    refused = _refused_by_library(path)
    if refused:
        found.problems.append(Problem("E405", f"{path.name} is refused by the safetensors library: {refused}"))
    if metadata is not None and metadata.get("format") not in _LOADED_FORMATS:
        kind = metadata.get("format")
        found.warnings.append(f"{path.name}: the format in its metadata is {kind!r}, transformers 4.57 loads only 'pt'")
    names = {entry.name for entry in entries}
    if listed is not None and listed != names:
        odd = ", ".join(sorted(listed ^ names)[:5])
        found.problems.append(Problem("E405", f"{INDEX_FILE} and {path.name} do not agree on {odd}"))
    for entry in entries:
        if entry.name in found.tensors:
            where = found.tensors[entry.name].path.name
            found.problems.append(Problem("E405", f"{entry.name} is in {where} and in {path.name}"))
        found.tensors[entry.name] = entry


def _other_kind(path: Path) -> str | None:
    """What a file that is no safetensors file is, where its first bytes show it; a Git LFS pointer is the commonest."""
    try:
        with open(path, "rb") as file:
            head = file.read(HEAD_BYTES)
        size = path.stat().st_size
    except OSError:
        return None
    return None if is_safetensors(head, size) else recognise(head, size)


def _read_header(path: Path) -> tuple[list[WrittenTensor], dict[str, Any] | None]:
    """The tensors of one file, and its metadata. Raises ValueError unless they fill it exactly: no gap, no overlap,
    nothing behind."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > min(size - 8, _LONGEST_HEADER):
            raise ValueError(f"its header claims {length} bytes, the file has {size}")
        header = json.loads(file.read(length).decode("utf-8"), object_pairs_hook=_no_key_twice)
    metadata = header.pop("__metadata__", None)
    base = 8 + length
    tensors = []
    for name, entry in header.items():
        if entry["dtype"] not in _NAMES:
            raise ValueError(f"{name} has dtype {entry['dtype']}")
        dtype = _NAMES[entry["dtype"]]
        shape = tuple(_whole(number) for number in entry["shape"])
        start, end = (_whole(number) for number in entry["data_offsets"])
        if end - start != math.prod(shape) * DTYPES[dtype][1]:
            raise ValueError(f"{name} has {end - start} bytes, {list(shape)} of {dtype} needs others")
        tensors.append(WrittenTensor(name, shape, dtype, path, base + start, base + end))
    at = base
    for tensor in sorted(tensors, key=lambda tensor: (tensor.start, tensor.end)):
        if tensor.start != at:
            what = "bytes that belong to no tensor" if tensor.start > at else "bytes that two tensors share"
            raise ValueError(f"{abs(tensor.start - at)} {what}, before {tensor.name}")
        at = tensor.end
    if at != size:
        raise ValueError(f"the tensors end at byte {at}, the file has {size}")
    return tensors, metadata


def _whole(number: Any) -> int:
    if type(number) is not int or number < 0:
        raise ValueError(f"{number!r} in the header, expected a whole number")
    return int(number)


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)} stands there twice")
    return table


def _refused_by_library(path: Path) -> str:
    """What the safetensors library, which every user's load goes through, has against the file."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            file.keys()
        return ""
    except (SafetensorError, OSError) as error:
        return str(error)
