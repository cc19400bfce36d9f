"""The bytes of a planned tensor's target, in order, in blocks that stay in the processor's cache while they are
checked, hashed and written.

Blocks lie in a few buffers that are used in turn: new memory costs more time than what is done with it. Bytes that lie
in a file as they are are read, not touched in its map: a file that is cut meanwhile is then an error and not the end of
the process.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from converter.files.tensors import DTYPES, MappedBytes, SourceTensor
from converter.plan.plan import PlannedTensor
from mappings import OPERATIONS

if TYPE_CHECKING:
    import numpy as np

BLOCK_BYTES = 1 << 20
#: A matrix up to this size is read before it is turned; a large model has 16 MB in one.
_MOST_WHOLE = 64 << 20
#: Columns that are turned at once. They are copied to rows of a length that is no power of two first: at such distances
#: the lines of a cache displace each other.
_PANEL, _PADDED = 64, 72


class Blocks:
    """Reads targets of tensors. A block is valid until `count` more have been asked for."""

    def __init__(self, count: int = 1) -> None:
        self._buffers: list[Any] = [None] * (count + 1)
        self._next = 0
        self._whole: Any = None
        self._panel: Any = None

    def read(self, tensor: PlannedTensor) -> Iterator[np.ndarray]:
        """The target's elements in order, in the source's dtype, as contiguous 1-d blocks. Raises FileError."""
        import numpy as np

        source, kind = tensor.source, np.dtype(DTYPES[tensor.source.dtype][0])
        turned = is_turned(tensor)
        raw = source.runs[0].raw() if len(source.runs) == 1 else None
        if not source.size:
            yield np.empty(0, kind)
        elif raw is not None and not turned:
            for at in range(0, raw.size, BLOCK_BYTES):
                block = self._buffer(min(BLOCK_BYTES, raw.size - at))
                raw.read_into(at, block.data)
                yield block.view(kind)
        elif not turned:
            yield from self._gather(source, kind)
        else:
            yield from self._turn(self._read_matrix(tensor, raw, kind))

    def _buffer(self, size: int) -> np.ndarray:
        """The buffer that was used longest ago."""
        self._next = (self._next + 1) % len(self._buffers)
        self._buffers[self._next] = _at_least(self._buffers[self._next], max(size, BLOCK_BYTES))
        found: np.ndarray = self._buffers[self._next][:size]
        return found

    def _gather(self, source: SourceTensor, kind: np.dtype[Any]) -> Iterator[np.ndarray]:
        """Pieces that were decoded, or of several runs, in whole blocks."""
        import numpy as np

        block, filled, left = self._buffer(min(BLOCK_BYTES, source.size)), 0, source.size
        for run in source.runs:
            for piece in run.pieces():
                bytes_of = np.frombuffer(piece, np.uint8)
                done = 0
                while done < len(bytes_of):
                    count = min(len(block) - filled, len(bytes_of) - done)
                    block[filled : filled + count] = bytes_of[done : done + count]
                    done, filled = done + count, filled + count
                    if filled == len(block):
                        yield block.view(kind)
                        left -= filled
                        block, filled = self._buffer(min(BLOCK_BYTES, left)), 0

    def _read_matrix(self, tensor: PlannedTensor, raw: MappedBytes | None, kind: np.dtype[Any]) -> np.ndarray:
        """The target as a view of bytes in another order."""
        source = tensor.source
        if raw is None or raw.size > _MOST_WHOLE:
            return OPERATIONS[tensor.op].apply(source.read())
        self._whole = _at_least(self._whole, raw.size)
        whole = self._whole[: raw.size]
        raw.read_into(0, whole.data)
        stored = whole.view(kind).reshape(source.shape, order="F" if source.fortran else "C")
        return OPERATIONS[tensor.op].apply(stored)

    def _turn(self, target: np.ndarray) -> Iterator[np.ndarray]:
        """Rows of a matrix that lies column by column, some at a time."""
        import numpy as np

        rows, columns = target.shape
        step = max(1, min(_PANEL, BLOCK_BYTES // (columns * target.itemsize)))
        if self._panel is None or self._panel.dtype != target.dtype or len(self._panel) < columns:
            self._panel = np.empty((columns, _PADDED), target.dtype)
        for start in range(0, rows, step):
            part = target[start : start + step]
            panel = self._panel[:columns, : len(part)]
            panel[:] = part.T
            block = self._buffer(part.size * part.itemsize).view(target.dtype)
            block.reshape(part.shape)[:] = panel.T
            yield block


def is_turned(tensor: PlannedTensor) -> bool:
    """Whether the target's elements lie in another order in the source."""
    import numpy as np

    source = tensor.source
    small = np.empty([min(size, 2) for size in source.shape], order="F" if source.fortran else "C")
    return not OPERATIONS[tensor.op].apply(small).flags.c_contiguous


def _at_least(buffer: Any, size: int) -> Any:
    import numpy as np

    return buffer if buffer is not None and len(buffer) >= size else np.empty(size, np.uint8)
