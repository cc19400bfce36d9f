"""Download one file from an address into the cache: continued after a cut, and checked before it is kept."""

from __future__ import annotations

import os
import time
from pathlib import Path

from converter.common.errors import FetchError, Paddle2TorchError, Problem
from converter.common.interrupts import keep
from converter.common.progress import ByteProgress
from converter.fetch import retry
from converter.fetch.cache import CacheEntry, FileRecord
from converter.fetch.error_pages import refuse_error_page
from converter.fetch.partial_download import PartialFile
from converter.fetch.request import RequestedFile, fetch_rest
from converter.fetch.retry import TransientError
from converter.files.hashing import md5_of, sha256_of

#: In seconds. If a server asks for a longer wait, the download is given up.
LONGEST_WAIT = 60.0
#: Bytes after which a try counts as a success: the next failure is the first one again.
_GOOD_PIECE = 1 << 20


def fetch_file(entry: CacheEntry, wanted: RequestedFile, progress: ByteProgress) -> Path:
    """Fetch a file into `entry`, which the caller has locked. A failure leaves at most a `.part`, which a later run
    continues if the server still has the same version. Raises FetchError, or what `wanted.check_content` raises."""
    part = PartialFile.at(entry.folder / f"{wanted.name}.part")
    continued = part.size > 0
    while True:
        sha256_sent = _fetch_all(part, wanted, progress)
        keep("")
        try:
            return _keep_if_correct(entry, part, wanted, sha256_sent, progress)
        except _WrongChecksum as wrong:
            part.clear()
            if not continued:
                raise FetchError(Problem("E705", f"{wrong} Not kept. Does a proxy change files?")) from None
            continued = False  # Parts of two versions may have been combined: start again from the first byte.
        except Paddle2TorchError:
            part.clear()
            raise


class _WrongChecksum(Exception):
    """A complete file with another checksum than expected."""


def _keep_if_correct(
    entry: CacheEntry, part: PartialFile, wanted: RequestedFile, sha256_sent: str | None, progress: ByteProgress
) -> Path:
    incoming = entry.folder / "incoming" / wanted.name
    incoming.parent.mkdir(exist_ok=True)
    record = FileRecord(part.size, "", part.etag, part.modified)
    os.replace(part.path, incoming)
    part.clear()
    try:
        refuse_error_page(incoming, wanted.address.shown)
        sha256 = sha256_of(incoming, lambda done: progress(f"checking {wanted.name}", done, record.size))
        if sha256_sent not in (None, sha256):
            raise _WrongChecksum(f"{wanted.address.shown}: sha256 is {sha256}, expected {sha256_sent}.")
        md5 = md5_of(incoming) if wanted.md5 is not None else None
        if md5 != wanted.md5:
            raise _WrongChecksum(f"{wanted.address.shown}: md5 is {md5}, expected {wanted.md5}.")
        wanted.check_content(incoming)
        return entry.keep(wanted.name, incoming, FileRecord(record.size, sha256, record.etag, record.modified))
    finally:
        incoming.unlink(missing_ok=True)


def _fetch_all(part: PartialFile, wanted: RequestedFile, progress: ByteProgress) -> str | None:
    """Complete `part`, in several requests if needed. Returns the sha256 that the server sent, if it did."""
    failures, sha256 = 0, None
    while not part.complete:
        before = part.size
        try:
            sha256 = fetch_rest(part, wanted, progress) or sha256
            break
        except TransientError as error:
            failures = 1 if part.size - before >= _GOOD_PIECE else failures + 1
            if failures > len(retry.WAITS) or error.wait > LONGEST_WAIT:
                raise FetchError(Problem("E703", _describe_failures(part, wanted, failures, error))) from None
            wait = max(retry.WAITS[failures - 1], error.wait)
            progress(f"{wanted.address.shown}: {error}; try {failures + 1} in {wait:.0f} s", 0, 0)
            time.sleep(wait)
    return sha256


def _describe_failures(part: PartialFile, wanted: RequestedFile, failures: int, error: TransientError) -> str:
    have = f" {part.size:,} bytes are kept; the next run continues from there" if part.size else ""
    asked = f" The server asks to wait {error.wait:.0f} seconds." if error.wait > LONGEST_WAIT else ""
    return f"{wanted.address.shown}: {error}. Tried {failures} times.{asked} Run it again later.{have}"
