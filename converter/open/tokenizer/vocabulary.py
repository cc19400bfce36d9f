"""The files that decide tokens: vocab.txt, and a sentencepiece model, of which only the pieces are counted.

Both are read with the loops of the standard library: a file of some megabytes can hold millions of short lines or
fields, and none of them may cost a turn of a loop here before there is a bound on their number.
"""

from __future__ import annotations

import re
from itertools import count
from typing import NoReturn

from converter.common.errors import Problem, SourceError, about
from converter.common.layout import SENTENCEPIECE, VOCABULARY
from converter.files.protobuf import WireError, read_field
from converter.files.regular_files import LFS_POINTER, is_lfs_pointer, quoted

#: What every vocabulary of this family holds, whatever plays these roles in it.
FILE_TOKENS = ("[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]")
#: Tokens of a vocabulary and pieces of a model. The largest vocabularies that are published have nearly a million.
MOST_TOKENS = 1_000_000
#: Of a sentencepiece model's other fields there are four, each of them once.
_MOST_OTHERS = 1_000
_PIECE = 1
_PIECE_TAG = _PIECE << 3 | 2
_NO_TAB = re.compile(r"^[^\t\n]*$", re.MULTILINE)


def read_vocabulary(data: bytes, warnings: list[str]) -> tuple[bytes, int]:
    """One token a line, from either form of the file (one column, or token TAB id in order), and the number of tokens.

    Lines end with LF, or CR LF: token 97636 of the real vocabulary is U+0085, which other line rules would cut. Blank
    lines at the end are left out. Raises SourceError.
    """
    text = _decode(data)
    kept = _without_blank_end(text, warnings)
    body = _body(kept)
    if "\t" not in body:
        tokens = body.split("\n")
        _check_tokens(tokens)
        # transformers' reader takes CR LF off where every line has it.
        windows = kept.count("\r\n")
        mixed = windows and windows < kept.count("\n")
        written = body + "\n" if mixed else kept
        return (data if written is text else written.encode()), len(tokens)
    tokens = take_first_column(body)
    _check_tokens(tokens)
    warnings.append(f"{VOCABULARY} has two columns, as the 2021 release: the tokens are kept, in one column")
    return ("\n".join(tokens) + "\n").encode(), len(tokens)


def decode_vocabulary(data: bytes) -> str:
    """The lines of a vocabulary, joined by LF, without an end of the last. Raises SourceError for what is no text, has
    too many lines, or ends lines in a way of its own."""
    return _body(_decode(data))


def _decode(data: bytes) -> str:
    if is_lfs_pointer(data[:64]):
        _refuse(f"is {LFS_POINTER}", question="")
    if (lines_at_least := data.count(b"\n")) > MOST_TOKENS:
        _refuse(f"has {lines_at_least} lines, expected at most {MOST_TOKENS}")
    if data.startswith(b"\xef\xbb\xbf"):
        _refuse("starts with a byte-order mark, which would become part of the first token")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        _refuse(f"is not UTF-8 at byte {error.start}")


def _body(text: str) -> str:
    body = text.replace("\r\n", "\n")
    body = body[:-1] if body.endswith(("\n", "\r")) else body
    if "\r" in body:
        line = body.count("\n", 0, body.index("\r")) + 1
        _refuse(f"line {line} holds a carriage return, which PaddleNLP takes for the end of a line")
    return body


def take_first_column(body: str) -> list[str]:
    """The tokens of lines that each are a token, TAB and its id, in order. Raises SourceError."""
    if body.count("\t") != body.count("\n") + 1 or _NO_TAB.search(body):
        _refuse("lines must all be a token, or all a token, TAB and its id")
    cells = body.replace("\t", "\n").split("\n")
    tokens = cells[::2]
    wrong = next((n for n, found, right in zip(count(), cells[1::2], map(str, count())) if found != right), None)
    if wrong is not None:
        _refuse(f"line {wrong + 1} has id {quoted(cells[2 * wrong + 1], 40)}, expected {wrong}")
    return tokens


def list_tokens(vocabulary: bytes) -> dict[str, int]:
    """Token -> id, of a vocabulary as `read_vocabulary` gives it."""
    text = vocabulary.decode().replace("\r\n", "\n")
    return dict(zip(text[: -1 if text.endswith("\n") else None].split("\n"), count()))


def count_pieces(data: bytes, name: str = SENTENCEPIECE) -> int:
    """The number of pieces of a sentencepiece model: a protobuf of pieces (field 1) and settings, walked to its end.

    Raises SourceError.
    """
    if is_lfs_pointer(data[:64]):
        raise SourceError(Problem("E022", f"{name} is {LFS_POINTER}"))
    try:
        return _walk(data)
    except WireError as error:
        raise SourceError(
            Problem("E022", f"{name} is damaged, or not a sentencepiece model ({error}). Download it again?")
        ) from None


def _walk(data: bytes) -> int:
    at, pieces, others, end = 0, 0, 0, len(data)
    while at < end:
        size = data[at + 1] if at + 1 < end and data[at] == _PIECE_TAG else 0
        if 0 < size < 0x80 and at + 2 + size <= end:  # Nearly every field: a piece of less than 128 bytes.
            at += 2 + size
            pieces += 1
        else:
            field, at = read_field(memoryview(data), at)
            if field.number == _PIECE and not field.value:
                raise WireError(field.offset, "an empty piece")
            pieces += field.number == _PIECE
            others += field.number != _PIECE
        if pieces > MOST_TOKENS or others > _MOST_OTHERS:
            most = f"{MOST_TOKENS} pieces" if pieces > MOST_TOKENS else f"{_MOST_OTHERS} settings"
            raise WireError(at, f"more than {most}")
    return pieces


def _without_blank_end(text: str, warnings: list[str]) -> str:
    """PaddleNLP makes one more token, the empty one, of blank lines at the end; no text holds it."""
    shorter = text.rstrip("\r\n")
    end = text[len(shorter) :]
    blank = end.replace("\r\n", "\n").count("\n") - 1
    if blank < 1 or not shorter:
        return text
    warnings.append(f"{VOCABULARY} ends with {blank} blank line{'s' * (blank > 1)}: left out, no id changes")
    return shorter + ("\r\n" if end.startswith("\r") else "\n")


def _check_tokens(tokens: list[str]) -> None:
    known = dict.fromkeys(tokens)
    if "" in known:
        _refuse(f"line {tokens.index('') + 1} is empty")
    if len(known) != len(tokens):
        seen: set[str] = set()
        twice = next(token for token in tokens if token in seen or seen.add(token))  # type: ignore[func-returns-value]
        _refuse(f"the token {quoted(twice, 40)} is there twice")
    missing = [token for token in FILE_TOKENS if token not in known]
    if missing:
        _refuse(f"lacks {', '.join(missing)}")


def _refuse(reason: str, question: str = ". Is it the vocabulary of this model?") -> NoReturn:
    raise SourceError(Problem("E021", about(VOCABULARY, f"{reason}{question}")))
