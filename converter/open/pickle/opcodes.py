"""The opcodes of pickle: which ones a Paddle checkpoint is written with, and how each one's argument lies in the file.

Only `ACCEPTED` are interpreted. `REFUSED` are known by name, and by the form of their argument so that the rest of a
refused file can still be searched for what it wanted to run.
"""

from __future__ import annotations

from typing import NamedTuple


class Opcode(NamedTuple):
    """`argument` is "" (none), "lines N" (N lines of text), "int N", "signed N" or "float 8" (N bytes), or "sized N"
    (a length of N bytes, then so many bytes). `protocol` is the first one that has the opcode."""

    name: str
    protocol: int
    argument: str = ""


ACCEPTED: dict[int, Opcode] = {
    ord("("): Opcode("MARK", 0),
    ord("."): Opcode("STOP", 0),
    ord("N"): Opcode("NONE", 0),
    ord("}"): Opcode("EMPTY_DICT", 1),
    ord("]"): Opcode("EMPTY_LIST", 1),
    ord(")"): Opcode("EMPTY_TUPLE", 1),
    ord("c"): Opcode("GLOBAL", 0, "lines 2"),
    ord("R"): Opcode("REDUCE", 0),
    ord("b"): Opcode("BUILD", 0),
    ord("t"): Opcode("TUPLE", 0),
    ord("a"): Opcode("APPEND", 0),
    ord("e"): Opcode("APPENDS", 1),
    ord("s"): Opcode("SETITEM", 0),
    ord("u"): Opcode("SETITEMS", 1),
    ord("q"): Opcode("BINPUT", 1, "int 1"),
    ord("r"): Opcode("LONG_BINPUT", 1, "int 4"),
    ord("h"): Opcode("BINGET", 1, "int 1"),
    ord("j"): Opcode("LONG_BINGET", 1, "int 4"),
    ord("J"): Opcode("BININT", 1, "signed 4"),
    ord("K"): Opcode("BININT1", 1, "int 1"),
    ord("M"): Opcode("BININT2", 1, "int 2"),
    ord("G"): Opcode("BINFLOAT", 1, "float 8"),
    ord("T"): Opcode("BINSTRING", 1, "sized 4"),
    ord("U"): Opcode("SHORT_BINSTRING", 1, "sized 1"),
    ord("X"): Opcode("BINUNICODE", 1, "sized 4"),
    0x80: Opcode("PROTO", 2, "int 1"),
    0x85: Opcode("TUPLE1", 2),
    0x86: Opcode("TUPLE2", 2),
    0x87: Opcode("TUPLE3", 2),
    0x88: Opcode("NEWTRUE", 2),
    0x89: Opcode("NEWFALSE", 2),
    0x8A: Opcode("LONG1", 2, "sized 1"),
    ord("B"): Opcode("BINBYTES", 3, "sized 4"),
    ord("C"): Opcode("SHORT_BINBYTES", 3, "sized 1"),
    0x8C: Opcode("SHORT_BINUNICODE", 4, "sized 1"),
    0x8D: Opcode("BINUNICODE8", 4, "sized 8"),
    0x8E: Opcode("BINBYTES8", 4, "sized 8"),
    0x93: Opcode("STACK_GLOBAL", 4),
    0x94: Opcode("MEMOIZE", 4),
    0x95: Opcode("FRAME", 4, "int 8"),
    0x96: Opcode("BYTEARRAY8", 5, "sized 8"),
}

REFUSED: dict[int, Opcode] = {
    ord("i"): Opcode("INST", 0, "lines 2"),
    ord("o"): Opcode("OBJ", 1),
    ord("P"): Opcode("PERSID", 0, "lines 1"),
    ord("Q"): Opcode("BINPERSID", 1),
    ord("I"): Opcode("INT", 0, "lines 1"),
    ord("L"): Opcode("LONG", 0, "lines 1"),
    ord("F"): Opcode("FLOAT", 0, "lines 1"),
    ord("S"): Opcode("STRING", 0, "lines 1"),
    ord("V"): Opcode("UNICODE", 0, "lines 1"),
    ord("p"): Opcode("PUT", 0, "lines 1"),
    ord("g"): Opcode("GET", 0, "lines 1"),
    ord("d"): Opcode("DICT", 0),
    ord("l"): Opcode("LIST", 0),
    ord("0"): Opcode("POP", 0),
    ord("1"): Opcode("POP_MARK", 1),
    ord("2"): Opcode("DUP", 0),
    0x81: Opcode("NEWOBJ", 2),
    0x82: Opcode("EXT1", 2, "int 1"),
    0x83: Opcode("EXT2", 2, "int 2"),
    0x84: Opcode("EXT4", 2, "signed 4"),
    0x8B: Opcode("LONG4", 2, "sized 4"),
    0x8F: Opcode("EMPTY_SET", 4),
    0x90: Opcode("ADDITEMS", 4),
    0x91: Opcode("FROZENSET", 4),
    0x92: Opcode("NEWOBJ_EX", 4),
    0x97: Opcode("NEXT_BUFFER", 5),
    0x98: Opcode("READONLY_BUFFER", 5),
}

#: Opcodes that only Python 2 writes: from protocol 3 on, text and bytes have opcodes of their own.
PYTHON2_ONLY = ("BINSTRING", "SHORT_BINSTRING")
