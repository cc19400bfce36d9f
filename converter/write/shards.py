"""Planned tensors to safetensors: streamed in blocks, hashed during the copy, read back and compared."""

from __future__ import annotations

import hashlib
import json
import mmap
import struct
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Callable

from converter.common.errors import OutputError, PlanError, Problem
from converter.common.layout import EXTRAS_FILE, INDEX_FILE, SINGLE_FILE
from converter.files.tensors import DTYPES, MappedBytes, element_count
from converter.plan.plan import PlannedTensor
from converter.write.dtypes import convert_block, count_nonfinite
from converter.write.new_files import create_file, write_file
from mappings import OPERATIONS

if TYPE_CHECKING:
    import numpy as np
    from typing_extensions import TypeAlias

    Hasher: TypeAlias = "hashlib._Hash"

_BLOCK_BYTES = 4 << 20
#: A matrix up to this size is read before it is turned; a large model has 16 MB in one.
_MOST_WHOLE = 64 << 20

#: Called with the number of bytes just written.
Advance = Callable[[int], None]


@dataclass(frozen=True)
class WrittenTensor:
    """A tensor as it is on disk: `sha256` is of its bytes."""

    planned: PlannedTensor
    file: str
    sha256: str


@dataclass(frozen=True)
class Shard:
    file: str
    tensors: tuple[PlannedTensor, ...]


def target_bytes(tensor: PlannedTensor) -> int:
    return element_count(tensor.shape) * DTYPES[tensor.dtype][1]


def split_into_shards(tensors: Sequence[PlannedTensor], most_bytes: int) -> tuple[Shard, ...]:
    """Files of at most `most_bytes` of tensors each, in plan order; a tensor larger than that has a file to itself.

    Within a file wide dtypes come first, so that every tensor lies aligned.
    """
    groups: list[list[PlannedTensor]] = []
    room = 0
    for tensor in tensors:
        size = target_bytes(tensor)
        if not groups or size > room:
            groups.append([])
            room = most_bytes
        groups[-1].append(tensor)
        room -= size
    count = len(groups)
    names = [SINGLE_FILE] if count == 1 else [f"model-{n:05d}-of-{count:05d}.safetensors" for n in range(1, count + 1)]
    return tuple(
        Shard(name, tuple(sorted(group, key=lambda tensor: -DTYPES[tensor.dtype][1])))
        for name, group in zip(names, groups)
    )


def with_extras(shards: Sequence[Shard], extras: Sequence[PlannedTensor]) -> tuple[Shard, ...]:
    """The files of the model, and the one of the weights that have no place in it."""
    if not extras:
        return tuple(shards)
    return (*shards, Shard(EXTRAS_FILE, tuple(sorted(extras, key=lambda tensor: -DTYPES[tensor.dtype][1]))))


def write_weights(
    folder: Path, shards: Sequence[Shard], *, allow_nonfinite: bool, advance: Advance
) -> tuple[WrittenTensor, ...]:
    """Write every shard, read each back, and write the index when there is more than one.

    Raises PlanError for NaN or infinity (all tensors that hold any are named), OutputError when a file does not read
    back as it was written.
    """
    written: list[WrittenTensor] = []
    problems: list[Problem] = []
    for shard in shards:
        sums = _write_shard(folder / shard.file, shard, allow_nonfinite, problems, advance)
        if not problems:
            check_written(folder / shard.file, shard, sums)
            written += [WrittenTensor(tensor, shard.file, sums[tensor.target]) for tensor in shard.tensors]
    if problems:
        raise PlanError(*problems)
    model = [shard for shard in shards if shard.file != EXTRAS_FILE]
    if len(model) > 1:
        write_index(folder / INDEX_FILE, model)
    return tuple(written)


def header_bytes(shard: Shard) -> bytes:
    """The safetensors header: a length, then JSON, padded so that the data starts at a multiple of eight.

    What is kept as it was has the layout of the source, which safetensors calls "np".
    """
    layout = "np" if shard.file == EXTRAS_FILE else "pt"
    entries: dict[str, object] = {"__metadata__": {"format": layout}}
    at = 0
    for tensor in shard.tensors:
        end = at + target_bytes(tensor)
        entries[tensor.target] = {
            "dtype": DTYPES[tensor.dtype][2],
            "shape": list(tensor.shape),
            "data_offsets": [at, end],
        }
        at = end
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def _write_shard(
    path: Path, shard: Shard, allow_nonfinite: bool, problems: list[Problem], advance: Advance
) -> dict[str, str]:
    sums: dict[str, str] = {}
    with create_file(path) as file, ThreadPoolExecutor(1) as thread:
        file.write(header_bytes(shard))
        for tensor in shard.tensors:
            hasher = hashlib.sha256()
            nonfinite = overflowed = 0
            for bad, lost in _write_blocks(file, tensor, hasher, thread, advance):
                nonfinite += bad
                overflowed += lost
            sums[tensor.target] = hasher.hexdigest()
            if nonfinite and not allow_nonfinite:
                problems.append(
                    Problem(
                        "E203",
                        f"{tensor.source.name}: {nonfinite} of its values are NaN or infinite. "
                        "--allow-nonfinite converts them",
                    )
                )
            if overflowed:
                problems.append(
                    Problem(
                        "E204",
                        f"{tensor.source.name}: {overflowed} of its values are too large for {tensor.dtype}. "
                        "Choose another --dtype",
                    )
                )
    return sums


def _write_blocks(
    file: BinaryIO, tensor: PlannedTensor, hasher: Hasher, thread: ThreadPoolExecutor, advance: Advance
) -> Iterator[tuple[int, int]]:
    """Write a tensor; for each block how many values were not finite, and how many only became so in the new dtype.

    The hash of a block is taken on the other thread while the next is written: hashlib releases the lock. One block
    is in flight at most, so memory stays at two.
    """
    pending: Future[None] | None = None
    for block in target_blocks(tensor):
        bad = count_nonfinite(block, tensor.source.dtype)
        data = contiguous(convert_block(block, tensor.source.dtype, tensor.dtype))
        lost = count_nonfinite(data, tensor.dtype) - bad if tensor.dtype != tensor.source.dtype else 0
        if pending is not None:
            pending.result()
        pending = thread.submit(hasher.update, data.data)
        file.write(data.data)
        advance(data.nbytes)
        yield bad, lost
    if pending is not None:
        pending.result()


def target_blocks(tensor: PlannedTensor) -> Iterator[np.ndarray]:
    """The target's elements in order, in the source's dtype, as 1-d blocks of a few MB.

    Rows of a transposed view are gathered block by block. Bytes that lie in a file as they are are read, not touched in
    its map: a file that is cut meanwhile is then an error and not the end of the process.
    """
    import numpy as np

    apply, source = OPERATIONS[tensor.op].apply, tensor.source
    raw = source.runs[0].raw() if len(source.runs) == 1 else None
    target = apply(source.read())
    if raw is not None and target.flags.c_contiguous:
        yield from _read_blocks(raw, target.dtype)
        return
    if raw is not None and raw.size <= _MOST_WHOLE:
        whole = np.empty(raw.size, np.uint8)
        raw.read_into(0, whole.data)
        target = apply(whole.view(target.dtype).reshape(source.shape, order="F" if source.fortran else "C"))
    if target.flags.c_contiguous:
        flat = target.reshape(-1)
        step = max(1, _BLOCK_BYTES // flat.itemsize)
        for start in range(0, max(1, flat.size), step):
            yield flat[start : start + step]
        return
    rows = max(1, _BLOCK_BYTES // max(1, target[:1].nbytes))
    for start in range(0, len(target), rows):
        yield contiguous(target[start : start + rows]).reshape(-1)


def _read_blocks(raw: MappedBytes, kind: np.dtype[Any]) -> Iterator[np.ndarray]:
    import numpy as np

    step = max(1, _BLOCK_BYTES // kind.itemsize) * kind.itemsize
    for at in range(0, max(1, raw.size), step):
        block = np.empty(min(step, raw.size - at), np.uint8)
        if block.size:
            raw.read_into(at, block.data)
        yield block.view(kind)


def contiguous(array: np.ndarray) -> np.ndarray:
    import numpy as np

    return np.ascontiguousarray(array)


def check_written(path: Path, shard: Shard, sums: dict[str, str]) -> None:
    """Read a shard back: the safetensors library must accept it and report the planned names, shapes and dtypes, and
    the bytes of each tensor must have the sum that they had when they were written. Raises OutputError."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            names = file.keys()
            slices = {name: file.get_slice(name) for name in names}
            found = {name: (entry.get_dtype(), tuple(entry.get_shape())) for name, entry in slices.items()}
    except SafetensorError as error:
        raise OutputError(Problem("E504", f"{path.name} does not read back ({error}). Is the disk sound?")) from error
    planned = {tensor.target: (DTYPES[tensor.dtype][2], tensor.shape) for tensor in shard.tensors}
    if found != planned:
        raise OutputError(Problem("E504", f"{path.name} reads back with other tensors than were written"))
    with (
        open(path, "rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        memoryview(data) as view,
    ):
        at = 8 + struct.unpack("<Q", view[:8])[0]
        for tensor in shard.tensors:
            end = at + target_bytes(tensor)
            if hashlib.sha256(view[at:end]).hexdigest() != sums[tensor.target]:
                raise OutputError(
                    Problem("E504", f"{path.name}: {tensor.target} reads back changed. Is the disk sound?")
                )
            at = end


def write_index(path: Path, shards: Sequence[Shard]) -> None:
    weight_map = {tensor.target: shard.file for shard in shards for tensor in shard.tensors}
    total = sum(target_bytes(tensor) for shard in shards for tensor in shard.tensors)
    index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(weight_map.items()))}
    write_file(path, (json.dumps(index, indent=2) + "\n").encode())
