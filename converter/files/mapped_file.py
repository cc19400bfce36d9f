"""A file's bytes, mapped, and its descriptor, by which they are read where a cut would end the process.

Touching a mapped page that is no longer there kills (SIGBUS), and nothing tidies up. Opening a file looks at it through
the map; copying it, which takes the time, reads it by the descriptor.
"""

from __future__ import annotations

import mmap
import os

from converter.common.errors import FileError, file_error

#: Windows neither reads at a place nor cuts a file that is mapped.
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
    """The whole of an open file, mapped. The descriptor stays the caller's. Raises what mmap raises."""
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
            raise _cut(buffer)
        done += count


def read_piece(buffer: mmap.mmap, at: int, size: int) -> memoryview:
    """The bytes from `at` on; a view of what is no file with a descriptor. Raises FileError as `read_into`."""
    if not can_read(buffer):
        return memoryview(buffer)[at : at + size]
    data = bytearray(size)
    read_into(buffer, at, memoryview(data))
    return memoryview(data)


def _cut(buffer: MappedFile) -> FileError:
    size = os.fstat(buffer.descriptor).st_size
    said = f"has {size} bytes, and had {len(buffer)} when it was opened. Is something writing it?"
    return file_error("E303", buffer.name, said)
