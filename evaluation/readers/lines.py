"""Lines of a text file, one at a time, with their numbers; and the errors that name them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from converter.common.errors import DataError, Problem, about
from converter.files.regular_files import HEAD_BYTES, open_file, quoted

#: A line of a data set is a few kB at most; a file without line feeds is not read into memory whole.
MOST_BYTES = 1 << 22
#: First bytes of what is no text, and what it is.
_NO_TEXT = (
    (b"PAR1", "a parquet file. Write it as JSON lines: pandas.read_parquet(FILE).to_json(..., lines=True)"),
    (b"\x1f\x8b", "compressed with gzip. Unpack it first"),
    (b"PK\x03\x04", "a zip archive. Unpack it first"),
    (b"version https://git-lfs", "a git-LFS pointer, not the file itself. Fetch it with `git lfs pull`"),
    (b"\xff\xfe", "UTF-16. Write it as UTF-8"),
    (b"\xfe\xff", "UTF-16. Write it as UTF-8"),
)


def wrong_line(file: str, number: int, reason: str) -> DataError:
    """E903: something is wrong with one line."""
    return DataError(Problem("E903", f"{file}, line {number}: {reason}"))


def wrong_form(file: str, reason: str) -> DataError:
    """E902: the file has no form that is read, or the marks of two."""
    return DataError(Problem("E902", about(file, reason)))


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Number (from 1) and text of each line, without its end. Lines end at line feeds alone: sentences hold U+2028 and
    U+0085. A byte-order mark is left out. Raises DataError for what is not UTF-8 text, FileError for no regular file.
    """
    with os.fdopen(open_file(path), "rb") as file:
        number = 0
        while True:
            data = file.readline(MOST_BYTES + 1)
            if not data:
                break
            number += 1
            if number == 1:
                _refuse_no_text(path.name, data)
                data = data[3:] if data.startswith(b"\xef\xbb\xbf") else data
            if len(data) > MOST_BYTES:
                raise wrong_line(path.name, number, f"longer than {MOST_BYTES >> 20} MiB, which no example is")
            yield number, _decode(path.name, number, data)
    if number == 0:
        raise wrong_form(path.name, "the file is empty")


def _refuse_no_text(file: str, data: bytes) -> None:
    for start, kind in _NO_TEXT:
        if data.startswith(start):
            raise wrong_form(file, f"is {kind}")
    if b"\0" in data[:HEAD_BYTES]:
        raise wrong_form(file, "is no text file")


def _decode(file: str, number: int, data: bytes) -> str:
    if data.endswith(b"\n"):
        data = data[:-2] if data.endswith(b"\r\n") else data[:-1]
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        found = quoted(data[error.start : error.start + 20].decode("latin1"))
        advice = "If it is ISO-8859-1, as the first CoNLL files: iconv -f ISO-8859-1 -t UTF-8"
        raise wrong_line(file, number, f"not UTF-8 at byte {error.start} of the line ({found}). {advice}") from None
