"""A memory map that keeps the file's descriptor, for reads that survive a file that is truncated meanwhile.

Touching a mapped page that no longer exists kills the process (SIGBUS) without cleanup. Readers look at a file through
the map when they open it; copying, which takes long, reads through the descriptor.
"""

from __future__ import annotations

import mmap
import os

from converter.common.errors import FileError, file_error

#: Windows has no preadv, and does not truncate a mapped file.
_CAN_READ_AT = hasattr(os, "preadv")


class MappedFile(mmap.mmap):
    """A read-only map that keeps a descriptor of its own. `name` is for messages."""

    descriptor: int = -1
    name: str = ""

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
        super().close()

    def __del__(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def map_descriptor(descriptor: int, name: str) -> MappedFile:
    """Map the whole of an open file. The caller keeps its descriptor. Raises what mmap raises."""
    mapped = MappedFile(descriptor, 0, access=mmap.ACCESS_READ)
    mapped.name = name
    if _CAN_READ_AT:
        mapped.descriptor = os.dup(descriptor)
    return mapped


def can_read(buffer: object) -> bool:
    return isinstance(buffer, MappedFile) and buffer.descriptor >= 0


def read_into(buffer: mmap.mmap, at: int, target: memoryview) -> None:
    """Fill `target` with the bytes from `at` on. Raises FileError when the file has become shorter."""
    assert isinstance(buffer, MappedFile)
    done = 0
    while done < len(target):
        count = os.preadv(buffer.descriptor, [target[done:]], at + done)
        if count == 0:
            raise _truncated(buffer)
        done += count


def read_piece(buffer: mmap.mmap, at: int, size: int) -> memoryview:
    """The bytes from `at` on; a view if the buffer has no descriptor. Raises FileError as `read_into`."""
    if not can_read(buffer):
        return memoryview(buffer)[at : at + size]
    data = bytearray(size)
    read_into(buffer, at, memoryview(data))
    return memoryview(data)


def release_pages(buffer: mmap.mmap) -> None:
    """Take the pages that were read through a map out of this process's memory. They stay in the system's cache."""
    if hasattr(buffer, "madvise") and hasattr(mmap, "MADV_DONTNEED"):
        buffer.madvise(mmap.MADV_DONTNEED)


def _truncated(buffer: MappedFile) -> FileError:
    size = os.fstat(buffer.descriptor).st_size
    reason = f"has {size} bytes, and had {len(buffer)} when it was opened. Is something writing it?"
    return file_error("E303", buffer.name, reason)
