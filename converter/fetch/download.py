"""One file from an address into the cache: in pieces, again after a cut, checked before it is taken for whole."""

from __future__ import annotations

import os
import time
from pathlib import Path

from converter.common.errors import FetchError, Paddle2TorchError, Problem
from converter.fetch.cache import Entry, Record
from converter.fetch.partial_download import Part
from converter.fetch.request import Progress, Wanted, fetch_rest
from converter.fetch.transport import Interrupted
from converter.files.hashing import md5_of, sha256_of
from converter.locate.check_download import check_content, check_kind

#: Seconds before each further try. A try that brings a good piece starts the count anew.
WAITS = (1.0, 2.0, 4.0, 8.0)
LONGEST_WAIT = 60.0
_GOOD_PIECE = 1 << 20


def fetch_file(entry: Entry, wanted: Wanted, progress: Progress) -> Path:
    """Fetch a file into `entry`, which the caller has locked. Raises FetchError, or what the file's content raises.

    What fails leaves at most a `.part`, which a later run continues when the server still has the same version.
    """
    part = Part.at(entry.folder / f"{wanted.name}.part")
    continued = part.size > 0
    while True:
        sha256_told = _fetch_all(part, wanted, progress)
        try:
            return _take_in(entry, part, wanted, sha256_told, progress)
        except _WrongSum as wrong:
            part.clear()
            if not continued:
                raise FetchError(
                    Problem("E705", f"{wrong} Not kept. Is something on the way changing files?")
                ) from None
            continued = False  # Two versions may have been put together: once more, from the first byte.
        except Paddle2TorchError:
            part.clear()
            raise


class _WrongSum(Exception):
    """A whole file that is not the one it should be."""


def _take_in(entry: Entry, part: Part, wanted: Wanted, sha256_told: str | None, progress: Progress) -> Path:
    incoming = entry.folder / "incoming" / wanted.name
    incoming.parent.mkdir(exist_ok=True)
    record = Record(part.size, "", part.etag, part.modified)
    os.replace(part.path, incoming)
    part.clear()
    try:
        check_kind(incoming, wanted.address.shown)
        sha256 = sha256_of(incoming, lambda done: progress(f"checking {wanted.name}", done, record.size))
        if sha256_told not in (None, sha256):
            raise _WrongSum(f"{wanted.address.shown}: sha256 is {sha256}, expected {sha256_told}.")
        if wanted.md5 is not None:
            md5 = md5_of(incoming)
            if md5 != wanted.md5:
                raise _WrongSum(f"{wanted.address.shown}: md5 is {md5}, expected {wanted.md5}.")
        check_content(incoming)
        return entry.keep(wanted.name, incoming, Record(record.size, sha256, record.etag, record.modified))
    finally:
        incoming.unlink(missing_ok=True)


def _fetch_all(part: Part, wanted: Wanted, progress: Progress) -> str | None:
    """Bring `part` to its full length, in as many tries as it takes. The sha256 that the server told, if it did."""
    failures, sha256 = 0, None
    while not part.complete:
        before = part.size
        try:
            sha256 = fetch_rest(part, wanted, progress) or sha256
            break
        except Interrupted as error:
            failures = 1 if part.size - before >= _GOOD_PIECE else failures + 1
            if failures > len(WAITS) or error.wait > LONGEST_WAIT:
                raise FetchError(Problem("E703", _gave_up(part, wanted, failures, error))) from None
            time.sleep(max(WAITS[failures - 1], error.wait))
    return sha256


def _gave_up(part: Part, wanted: Wanted, failures: int, error: Interrupted) -> str:
    have = f" {part.size:,} bytes are kept; the next run goes on from there" if part.size else ""
    asked = f" The server asks to wait {error.wait:.0f} seconds." if error.wait > LONGEST_WAIT else ""
    return f"{wanted.address.shown}: {error}. Tried {failures} times.{asked} Run it again later.{have}"
