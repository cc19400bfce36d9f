"""The opcodes of pickle, as Python's own `pickletools` describes them, and which of them a Paddle checkpoint may have.

Only `ACCEPTED` are interpreted. The names, protocols and argument forms of `REFUSED` are needed to search the rest of a
refused file for what it wanted to run.
"""

from __future__ import annotations

import pickletools
from typing import NamedTuple


class Opcode(NamedTuple):
    """`argument` is "" (none), "lines N" (N lines of text), "int N", "signed N" or "float N" (N bytes), or "sized N"
    (a length of N bytes, then so many bytes). `protocol` is the first one that has the opcode."""

    name: str
    protocol: int
    argument: str = ""


_SIZED = {
    pickletools.TAKEN_FROM_ARGUMENT1: "sized 1",
    pickletools.TAKEN_FROM_ARGUMENT4: "sized 4",
    pickletools.TAKEN_FROM_ARGUMENT4U: "sized 4",
    pickletools.TAKEN_FROM_ARGUMENT8U: "sized 8",
}
_NUMBERS = {"uint": "int", "int": "signed", "float": "float"}


def _form(argument: pickletools.ArgumentDescriptor | None) -> str:
    if argument is None:
        return ""
    if argument.n == pickletools.UP_TO_NEWLINE:
        return "lines 2" if argument.name == "stringnl_noescape_pair" else "lines 1"
    return _SIZED.get(argument.n) or f"{_NUMBERS[argument.name.rstrip('1248')]} {argument.n}"


_ACCEPTED_NAMES = frozenset(
    (
        *("PROTO", "FRAME", "STOP", "MARK", "GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD"),
        *("MEMOIZE", "BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET"),
        *("NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"),
        *("BINSTRING", "SHORT_BINSTRING", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
        *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
        *("EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "EMPTY_LIST", "APPEND", "APPENDS"),
        *("EMPTY_DICT", "SETITEM", "SETITEMS"),
    )
)
#: Name -> the byte of every opcode that Python knows.
CODES = {opcode.name: opcode.code.encode("latin-1") for opcode in pickletools.opcodes}
#: Every opcode that Python knows, by its byte.
OPCODES = {ord(known.code): Opcode(known.name, known.proto, _form(known.arg)) for known in pickletools.opcodes}
ACCEPTED = {byte: opcode for byte, opcode in OPCODES.items() if opcode.name in _ACCEPTED_NAMES}
REFUSED = {byte: opcode for byte, opcode in OPCODES.items() if opcode.name not in _ACCEPTED_NAMES}

#: Opcodes that only Python 2 writes: from protocol 3 on, text and bytes have opcodes of their own.
PYTHON2_ONLY = ("BINSTRING", "SHORT_BINSTRING")
