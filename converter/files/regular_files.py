"""Open files of a checkpoint only if they are regular files, and recognise files of another kind."""

from __future__ import annotations

import mmap
import os
import re
import stat
import zlib
from pathlib import Path

from converter.common.errors import FileError, Problem, file_error
from converter.common.redaction import redact
from converter.files.mapped_file import map_descriptor

#: The first bytes of a file, which are enough to recognise its kind.
HEAD_BYTES = 512

_SPECIAL_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a character device"),
    (stat.S_ISBLK, "a block device"),
)
_LFS_START = b"version https://git-lfs"
#: For messages that start with "FILE is ".
LFS_POINTER = "a git-LFS pointer, not the file itself. Fetch it with `git lfs pull`"
_FOREIGN_STARTS = (
    (_LFS_START, LFS_POINTER),
    (b"PK\x03\x04", "a zip archive, and not one of torch.save. Unpack it first"),
    (b"PK\x05\x06", "an empty zip archive, not a Paddle checkpoint"),
    (b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", "a checkpoint of torch.save (before 1.6), not of Paddle"),
    (b"\x1f\x8b", "compressed with gzip. Unpack it first"),
    (b"BZh", "compressed with bzip2. Unpack it first"),
    (b"\xfd7zXZ\x00", "compressed with xz. Unpack it first"),
    (b"(\xb5/\xfd", "compressed with zstd. Unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive. Unpack it first"),
    (b"Rar!\x1a\x07", "a RAR archive. Unpack it first"),
    (b"GGUF", "a GGUF file (llama.cpp), not a Paddle checkpoint"),
    (b"%PDF", "a PDF document, not a checkpoint"),
    (b"\x89HDF", "an HDF5 file, not a Paddle checkpoint"),
    (b"\x93NUMPY", "a NumPy array file, not a Paddle checkpoint"),
)


def quoted(text: str, most: int = 60) -> str:
    """Text from a file for a message: quoted, escaped and short."""
    text = redact(text)
    return ascii(text if len(text) <= most else text[: most - 3] + "...")


def is_file(path: Path) -> bool:
    """Whether a regular file (or a link to one) lies here; False when nothing does.

    Raises FileError for what has the name but cannot be read as a file: opening a FIFO would block.
    """
    try:
        kind = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        if path.is_symlink():
            raise file_error("E310", path.name, "a link to a file that is gone. Is the download complete?") from None
        return False
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    _check_regular(path, kind)
    return True


def open_file(path: Path) -> int:
    """A descriptor of a regular file, opened without waiting. Raises FileError for anything else."""
    try:
        _check_regular(path, os.stat(path).st_mode)
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(path, flags)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    try:  # The file may have been replaced since.
        _check_regular(path, os.fstat(descriptor).st_mode)
    except FileError:
        os.close(descriptor)
        raise
    return descriptor


def map_file(path: Path) -> mmap.mmap:
    """The bytes of a regular file, mapped read-only. Raises FileError."""
    descriptor = open_file(path)
    try:
        if os.fstat(descriptor).st_size == 0:
            raise file_error("E303", path.name, "the file is empty. Is the download complete?")
        return map_descriptor(descriptor, path.name)
    except (OSError, ValueError, OverflowError) as error:
        raise _unreadable(path, error) from None
    finally:
        os.close(descriptor)


def read_file(path: Path, most: int) -> bytes:
    """The whole of a small file. Raises FileError for one larger than `most` bytes."""
    descriptor = open_file(path)
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise file_error("E303", path.name, f"larger than {most >> 20} MiB, which no such file is")
    return data


def recognise(head: bytes, size: int) -> str | None:
    """The kind of a foreign file, recognised by its first bytes (`head`); None when they are unknown."""
    if head.startswith(b"\x1f\x8b") and _starts_as_tar(head):
        return "a tar archive, compressed with gzip. Unpack it first"
    for start, kind in _FOREIGN_STARTS:
        if head.startswith(start):
            return kind
    if re.match(rb"\x08[\x01-\x20]\x12[\x01-\x40][\w.+ -]+", head):
        return "an ONNX model, not a Paddle checkpoint. Convert the checkpoint that it was exported from"
    if head[257:262] == b"ustar":
        return "a tar archive. Unpack it first"
    if is_safetensors(head, size):
        return "a safetensors file. Rename it to model.safetensors"
    if head[:16] == bytes(16):
        if head.count(0) == len(head):
            return "filled with zeros. Is the download complete?"
        return "a tensor of a static graph (.pdiparams or a file per variable), not a pickle"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if re.match(rb"<(!doctype|html|head|\?xml|error)", text, re.IGNORECASE):
        return f"a web page, not a checkpoint: {quoted(text.decode('latin1'))}"
    if re.match(rb"[{\[]\s*[\"{\[}\]]", text):
        return f"a JSON document (an error page?), not a checkpoint: {quoted(text.decode('latin1'))}"
    if size < HEAD_BYTES and re.fullmatch(rb"[\w./-]*/[\w./-]+", head):
        return f"a link that was copied as text: {quoted(head.decode('latin1'))}. Fetch the file that it names"
    return None


def _starts_as_tar(head: bytes) -> bool:
    """Whether gzip-compressed data begin like a tar archive."""
    try:
        return zlib.decompressobj(31).decompress(head, HEAD_BYTES)[257:262] == b"ustar"
    except zlib.error:
        return False


def is_lfs_pointer(head: bytes) -> bool:
    """Whether a file is a git-LFS pointer, which a clone without `git lfs pull` has in the place of a large file."""
    return head.startswith(_LFS_START)


def looks_like_text(head: bytes) -> bool:
    return bool(re.fullmatch(rb"[\t\r\n\x20-\x7e]+", head))


def is_safetensors(head: bytes, size: int) -> bool:
    """Whether a file starts as safetensors files do: the length of a JSON object, and the object."""
    return head[8:9] == b"{" and head[9:10] in b'"} \n' and int.from_bytes(head[:8], "little") <= size - 8


def unsafe_name(name: str) -> str | None:
    """Why a name from an index may not be opened inside the folder, or None when it is a plain base name."""
    if name in ("", ".", ".."):
        return "is no file name"
    if "/" in name or "\\" in name or ":" in name:
        return "leaves the folder; only plain file names are read"
    if not name.isprintable() or len(name.encode("utf-8", "surrogatepass")) > 255:
        return "is too long or has characters that no file name should have"
    return None


def _check_regular(path: Path, mode: int) -> None:
    if stat.S_ISREG(mode):
        return
    kind = next((kind for test, kind in _SPECIAL_KINDS if test(mode)), "no regular file")
    raise file_error("E310", path.name, f"is {kind}, expected a regular file. It was not opened")


def _unreadable(path: Path, error: Exception) -> FileError:
    reason = getattr(error, "strerror", None) or str(error)
    return FileError(Problem("E310", f"{quoted(path.name, 255)[1:-1]} cannot be read: {reason}"))
