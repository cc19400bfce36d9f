"""One request for a file, or for the rest of it: interpret the response and append its bytes to the partial file."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from converter.common.errors import FetchError, Problem
from converter.common.interrupts import keep
from converter.common.progress import ByteProgress
from converter.fetch.cache import FileRecord, check_space
from converter.fetch.partial_download import PartialFile
from converter.fetch.retry import TRANSIENT_STATUSES, TransientError, read_retry_after
from converter.fetch.transport import Reply, get
from converter.fetch.url import Address

_SLOW_SECONDS, _SLOW_BYTES = 60.0, 60 << 10
_READ = 1 << 18
_OVERLAP = 1 << 16
#: Files whose reader detects that the end is missing.
_SELF_DELIMITING = (".pdparams", ".safetensors", ".json", ".model")


@dataclass(frozen=True)
class RequestedFile:
    """A file to fetch. `check_content` raises an error for a damaged one. `md5`: the expected checksum, if it is known.
    `most`: the largest allowed size in bytes."""

    name: str
    address: Address
    check_content: Callable[[Path], None]
    md5: str | None = None
    most: int | None = None


def fetch_rest(part: PartialFile, wanted: RequestedFile, progress: ByteProgress) -> str | None:
    """Make one request and append its bytes to `part`. Returns the sha256 that the server sent, if it did. Raises
    TransientError if the file is not complete then."""
    asked = part.size
    headers: dict[str, str] = {}
    if asked:
        if part.validator is None:
            asked -= min(asked // 2, _OVERLAP)
        else:
            headers["If-Range"] = part.validator
        headers["Range"] = f"bytes={asked}-"
    with get(wanted.address, headers) as reply:
        if asked and reply.status == 206:
            offset = _continue_at(part, reply, asked)
        elif reply.status == 200:
            part.begin(reply)
            offset = 0
        else:
            raise_for_status(part, reply, asked)
        if reply.headers.get("Content-Encoding", "identity").lower() not in ("identity", ""):
            part.clear()
            raise FetchError(
                Problem("E704", f"{wanted.address.shown} is compressed, which was not asked for. Not kept")
            )
        _check_size(part, wanted, reply)
        _receive(part, reply, offset, wanted, progress)
        return reply.sha256


def _continue_at(part: PartialFile, reply: Reply, asked: int) -> int:
    """The offset at which the body of a 206 continues the file. A body that does not fit what was asked for starts the
    download again."""
    match = re.fullmatch(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)", reply.headers.get("Content-Range", ""))
    etag = reply.headers.get("ETag")
    if match is None or int(match[1]) != asked:
        reason = "the server answered with another range than was asked for"
    elif match[3] != "*" and part.total is not None and int(match[3]) != part.total:
        reason = "the file has another size now"
    elif etag is not None and part.etag is not None and etag != part.etag:
        reason = "the file is another version now"
    else:
        part.total = int(match[3]) if match[3] != "*" else part.total
        return asked
    part.clear()
    raise TransientError(reason)


def raise_for_status(part: PartialFile, reply: Reply, asked: int) -> None:
    """Always raise: TransientError for a status that may pass, FetchError for any other."""
    shown, status = reply.address.shown, reply.status
    if status in (416, 206) and asked:
        part.clear()
        raise TransientError("the server cannot continue the file")
    if status in TRANSIENT_STATUSES:
        raise TransientError(f"the server answers {status}", read_retry_after(reply.headers))
    meanings = {
        401: "it wants a name and a password. Put them before the host: https://NAME:PASSWORD@HOST/...",
        403: "access is forbidden",
        404: "there is no such file",
        407: "the proxy wants a name and a password",
        410: "the file is gone",
    }
    meaning = meanings.get(status, "no file came")
    raise FetchError(Problem("E702", f"{shown}: the server answers {status}: {meaning}. Nothing was fetched"))


def _check_size(part: PartialFile, wanted: RequestedFile, reply: Reply) -> None:
    if part.total is None:
        chunked = reply.headers.get("Transfer-Encoding", "").lower() == "chunked"
        if not chunked and wanted.md5 is None and not wanted.name.endswith(_SELF_DELIMITING):
            text = "the server does not send the length of the file, and this format does not mark its end"
            raise FetchError(Problem("E704", f"{wanted.address.shown}: {text}. Fetch it with another tool"))
        return
    if wanted.most is not None and part.total > wanted.most:
        total = part.total
        part.clear()
        raise _too_large(wanted, f"{total:,}")
    if part.total == 0:
        part.clear()
        raise FetchError(Problem("E704", f"{wanted.address.shown} is empty (0 bytes)"))
    check_space(part.path.parent, part.total - part.size)


def _too_large(wanted: RequestedFile, size: str) -> FetchError:
    text = f"{wanted.address.shown}: {size} bytes, expected at most {wanted.most:,} for {wanted.name}. Not kept"
    return FetchError(Problem("E704", text))


def _receive(part: PartialFile, reply: Reply, offset: int, wanted: RequestedFile, progress: ByteProgress) -> None:
    """Append the body to the part. Raises TransientError if it is shorter than the server announced."""
    stage = f"fetching {wanted.name}"
    if offset or part.size:
        progress(f"{wanted.name}: going on at {part.size:,} bytes, which an earlier try fetched", 0, 0)
    progress(stage, 0, part.total or 0)
    with open(part.path, "ab") as file:
        position = _skip_overlap(part, reply, offset)
        slow_from, slow_at = position, time.monotonic()
        while part.total is None or position < part.total:
            piece = reply.read(_READ if part.total is None else min(_READ, part.total - position))
            if not piece:
                break
            file.write(piece)
            position += len(piece)
            keep(f"{position:,} bytes of {wanted.name} are kept: the same command goes on from there.")
            progress(stage, position, part.total or 0)
            if wanted.most is not None and position > wanted.most:
                raise _too_large(wanted, f"more than {wanted.most:,}")
            if time.monotonic() - slow_at > _SLOW_SECONDS:
                if position - slow_from < _SLOW_BYTES:
                    raise TransientError(f"less than {_SLOW_BYTES >> 10} kB came in {_SLOW_SECONDS:.0f} seconds")
                slow_from, slow_at = position, time.monotonic()
    if part.total is not None and position < part.total:
        raise TransientError(f"cut after {position:,} of {part.total:,} bytes")


def _skip_overlap(part: PartialFile, reply: Reply, offset: int) -> int:
    """Read bytes that are here already again and compare them, where the server does not identify versions. Returns the
    new position."""
    position = offset
    with open(part.path, "rb") as file:
        file.seek(offset)
        while position < part.size:
            piece = reply.read(part.size - position)
            if not piece:
                raise TransientError("cut at once")
            if piece != file.read(len(piece)):
                part.clear()
                raise TransientError("the file has other bytes now")
            position += len(piece)
    return position


def is_current(address: Address, record: FileRecord) -> bool:
    """Whether the server still has the version that is in the cache. Raises TransientError if it does not answer.

    Where the server does not identify versions, the size decides.
    """
    headers: dict[str, str] = {}
    if record.etag:
        headers["If-None-Match"] = record.etag
    if record.modified:
        headers["If-Modified-Since"] = record.modified
    with get(address, headers) as reply:
        if reply.status == 304:
            return True
        if reply.status != 200:
            if reply.status in TRANSIENT_STATUSES:
                raise TransientError(f"the server answers {reply.status}")
            raise_for_status(PartialFile(Path()), reply, 0)
        etag, modified = reply.headers.get("ETag"), reply.headers.get("Last-Modified")
        if record.etag and etag:
            return etag == record.etag
        if record.modified and modified:
            return modified == record.modified and reply.length in (None, record.size)
        return reply.length == record.size
