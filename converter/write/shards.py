"""Planned tensors to safetensors: streamed in blocks, hashed during the copy, read back and compared."""

from __future__ import annotations

import hashlib
import json
import mmap
import struct
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Callable

from converter.common.errors import OutputError, PlanError, Problem
from converter.common.layout import EXTRAS_FILE, INDEX_FILE, SINGLE_FILE
from converter.files.tensors import DTYPES, element_count
from converter.plan.plan import PlannedTensor
from converter.write.block_sums import sum_block
from converter.write.blocks import Blocks
from converter.write.dtypes import convert_block, count_nonfinite
from converter.write.new_files import create_file, write_file

if TYPE_CHECKING:
    from typing_extensions import TypeAlias

    Hasher: TypeAlias = "hashlib._Hash"
    #: Sizes and sums of the blocks of each tensor, as they were written.
    WrittenBlocks: TypeAlias = "dict[str, list[tuple[int, bytes]]]"

#: Blocks that wait for their hash at most: as many lie in memory, and one more.
_IN_FLIGHT = 3

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
        sums, blocks = _write_shard(folder / shard.file, shard, allow_nonfinite, problems, advance)
        if not problems:
            check_written(folder / shard.file, shard, blocks)
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
) -> tuple[dict[str, str], WrittenBlocks]:
    sums: dict[str, str] = {}
    written: WrittenBlocks = {}
    with create_file(path) as file, ThreadPoolExecutor(1) as thread:
        file.write(header_bytes(shard))
        file.flush()
        blocks = Blocks(_IN_FLIGHT)
        for tensor in shard.tensors:
            hasher = hashlib.sha256()
            nonfinite = overflowed = 0
            written[tensor.target] = []
            for size, digest, bad, lost in _write_blocks(file, blocks, tensor, hasher, thread):
                written[tensor.target].append((size, digest))
                nonfinite += bad
                overflowed += lost
                advance(size)
            sums[tensor.target] = hasher.hexdigest()
            problems += _describe_values(tensor, 0 if allow_nonfinite else nonfinite, overflowed)
    return sums, written


def _describe_values(tensor: PlannedTensor, nonfinite: int, overflowed: int) -> Iterator[Problem]:
    name = tensor.source.name
    if nonfinite:
        text = f"{name}: {nonfinite} of its values are NaN or infinite. --allow-nonfinite converts them"
        yield Problem("E203", text)
    if overflowed:
        text = f"{name}: {overflowed} of its values are too large for {tensor.dtype}. Choose another --dtype"
        yield Problem("E204", text)


def _write_blocks(
    file: BinaryIO, blocks: Blocks, tensor: PlannedTensor, hasher: Hasher, thread: ThreadPoolExecutor
) -> Iterator[tuple[int, bytes, int, int]]:
    """Write a tensor; for each block its size and sums, how many values were not finite, and how many only became so in
    the new dtype.

    The hash of a block is taken on the other thread while the next ones are written: hashlib releases the lock.
    """
    pending: deque[Future[None]] = deque()
    for block in blocks.read(tensor):
        bad = count_nonfinite(block, tensor.source.dtype)
        converted = convert_block(block, tensor.source.dtype, tensor.dtype)
        lost = count_nonfinite(converted, tensor.dtype) - bad if tensor.dtype != tensor.source.dtype else 0
        data = converted.data.cast("B") if converted.size else memoryview(b"")
        if len(pending) == _IN_FLIGHT:
            pending.popleft().result()
        pending.append(thread.submit(hasher.update, data))
        digest = sum_block(data)
        file.write(data)
        yield len(data), digest, bad, lost
    for each in pending:
        each.result()


def check_written(path: Path, shard: Shard, written: WrittenBlocks) -> None:
    """Read a shard back: the safetensors library must accept it and report the planned names, shapes and dtypes, and
    every block of every tensor must have the sums that it had when it was written. Raises OutputError."""
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
            for size, digest in written[tensor.target]:
                if sum_block(view[at : at + size]) != digest:
                    text = f"{path.name}: {tensor.target} reads back changed. Is the disk sound?"
                    raise OutputError(Problem("E504", text))
                at += size


def write_index(path: Path, shards: Sequence[Shard]) -> None:
    weight_map = {tensor.target: shard.file for shard in shards for tensor in shard.tensors}
    total = sum(target_bytes(tensor) for shard in shards for tensor in shard.tensors)
    index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(weight_map.items()))}
    write_file(path, (json.dumps(index, indent=2) + "\n").encode())
