"""The result of every reader: facts about the tensors of a file, and their bytes on request."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from converter.files.mapped_file import can_read, read_into, read_piece

if TYPE_CHECKING:
    import numpy as np

#: dtype name -> (numpy dtype that carries its bits, bytes per element, safetensors name).
#: bfloat16 has no numpy dtype: its bits travel as uint16, which is also how Paddle stores it.
DTYPES: dict[str, tuple[str, int, str]] = {
    "float64": ("<f8", 8, "F64"),
    "float32": ("<f4", 4, "F32"),
    "float16": ("<f2", 2, "F16"),
    "bfloat16": ("<u2", 2, "BF16"),
    "int64": ("<i8", 8, "I64"),
    "int32": ("<i4", 4, "I32"),
    "int16": ("<i2", 2, "I16"),
    "int8": ("|i1", 1, "I8"),
    "uint8": ("|u1", 1, "U8"),
    "bool": ("|b1", 1, "BOOL"),
}
FLOATING = ("float64", "float32", "float16", "bfloat16")
#: dtype -> the dtypes whose values it represents exactly.
HOLDS_VALUES_OF: dict[str, tuple[str, ...]] = {
    "float64": FLOATING,
    "float32": ("float32", "float16", "bfloat16"),
    "float16": ("float16",),
    "bfloat16": ("bfloat16",),
}

#: Decoded tensors above this size go to an unnamed temporary file, so that memory stays bounded.
SPOOL_BYTES = 32 << 20
_PIECE_BYTES = 8 << 20


def element_count(shape: tuple[int, ...]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count


def is_shape(sizes: Sequence[object]) -> bool:
    """Whether these are the sizes of an array that numpy can hold; sizes of 0 count as 1."""
    counts = [size for size in sizes if type(size) is int and size >= 0] if len(sizes) <= 32 else []
    return len(counts) == len(sizes) and element_count(tuple(size or 1 for size in counts)) <= 1 << 48


class ByteSource(Protocol):
    """A stretch of a file that holds tensor bytes, raw or coded."""

    @property
    def size(self) -> int:
        """Bytes after decoding."""

    @property
    def place(self) -> tuple[str, int, int]:
        """Identity of the bytes: a name for the file, start and end. Tensors with equal places share their bytes."""

    def view(self) -> memoryview | None:
        """The bytes without a copy, or None when they must be decoded."""

    def pieces(self) -> Iterator[bytes | memoryview]:
        """The decoded bytes in order, in pieces of a few MB."""

    def raw(self) -> MappedBytes | None:
        """The same bytes as a range that can be read without touching its map; None if there is none."""


@dataclass(frozen=True)
class MappedBytes:
    """`size` bytes from `start` of a mapped file, as they are."""

    buffer: mmap.mmap
    start: int
    size: int

    @property
    def place(self) -> tuple[str, int, int]:
        return str(id(self.buffer)), self.start, self.start + self.size

    def view(self) -> memoryview:
        return memoryview(self.buffer)[self.start : self.start + self.size]

    def pieces(self) -> Iterator[memoryview]:
        for at in range(0, self.size, _PIECE_BYTES):
            yield read_piece(self.buffer, self.start + at, min(_PIECE_BYTES, self.size - at))

    def raw(self) -> MappedBytes | None:
        return self if can_read(self.buffer) else None

    def read_into(self, at: int, target: memoryview) -> None:
        """Fill `target` with the bytes from `at` of the run on. Raises FileError when the file has become shorter."""
        read_into(self.buffer, self.start + at, target)


@dataclass(frozen=True)
class SourceTensor:
    """A tensor of a checkpoint; its bytes are read on request.

    `shape` and `dtype` are logical; with `fortran` the bytes lie in column order, which the logical array hides.
    `file` is the base name of the file that holds it. Sizes of `runs` add up to the shape times the item size:
    readers check that before they make one. `stored_as` is the name in the file where it is not `name`: a static
    graph's variable names are translated to PaddleNLP's.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    file: str
    runs: tuple[ByteSource, ...] = field(repr=False)
    fortran: bool = False
    stored_as: str = ""

    @property
    def size(self) -> int:
        """Bytes of the tensor in its stored dtype."""
        return element_count(self.shape) * DTYPES[self.dtype][1]

    def read(self) -> np.ndarray:
        """The logical array (bfloat16 as uint16 bits), read-only: a view of the mapped file where the bytes lie in it
        as they are, else decoded in pieces, into a temporary file when large."""
        import numpy as np

        kind = np.dtype(DTYPES[self.dtype][0])
        whole = self.runs[0].view() if len(self.runs) == 1 else None
        flat = np.frombuffer(_decode(self.runs, self.size) if whole is None else whole, kind)
        flat.flags.writeable = False
        return flat.reshape(self.shape, order="F" if self.fortran else "C")


def _decode(runs: tuple[ByteSource, ...], size: int) -> bytearray | mmap.mmap:
    if size <= SPOOL_BYTES:
        gathered = bytearray()
        for run in runs:
            for piece in run.pieces():
                gathered += piece
        return gathered
    with tempfile.TemporaryFile(prefix="paddle2torch-") as spool:
        for run in runs:
            for piece in run.pieces():
                spool.write(piece)
        spool.flush()
        return mmap.mmap(spool.fileno(), size, access=mmap.ACCESS_READ)


@dataclass(frozen=True)
class SourceFile:
    """A file that tensors come from: its path for reading, its base name for the manifest, its size in bytes."""

    path: Path
    name: str
    size: int


@dataclass(frozen=True)
class TensorSet:
    """What one reader found: the tensors of a checkpoint, the files they lie in, and what was odd."""

    format: str
    tensors: dict[str, SourceTensor]
    files: tuple[SourceFile, ...]
    warnings: tuple[str, ...] = ()
    #: What is known about the writer, e.g. "pickle protocol 4".
    writer: str = ""
    #: Which names the file has: "structured" (PaddleNLP's), "official" (the original release's), "automatic" (numbered)
    #: or "transformers" (the target's already, in PyTorch's layout).
    naming: str = "structured"
    #: PaddleNLP's class, where the names show it: the release's names of heads do.
    inferred_class: str = ""
    #: The preset of quirks that follows from these names, where it is not the default one.
    inferred_preset: str = ""
    #: Tensor -> its variable, as a file of Paddle's may have it next to the tensors.
    name_table: Mapping[str, str] = field(default_factory=dict)
    #: The prefix that was removed from the names in the file.
    prefix: str = ""
    #: Files or tensors that are not weights (an optimizer's state): name and reason.
    left_out: tuple[tuple[str, str], ...] = ()
    #: Weights that no PyTorch class has a place for (the release's MLM head), kept in a file of their own.
    extras: Mapping[str, SourceTensor] = field(default_factory=dict)
    #: Names of other values next to the tensors (a number, for example), and of tensors in a dict that was not used.
    not_tensors: tuple[str, ...] = ()
    #: The name of the family whose names these are.
    family: str = ""
