"""How a file is damaged: by its bytes, and by the rules of its format so that the damage gets past the first check."""

from __future__ import annotations

import copy
import json
import pickletools
import random
import struct
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tests.support.fuzz.subjects import SLICES, State, Subject, rezip

#: Numbers that make allocations, overflows and negative sizes out of a length.
HOSTILE = (0, 1, 2, 255, 1 << 15, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 40, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)
VALUES: tuple[Any, ...] = (
    *(None, True, False, -1, 0, 1, 3, 1.5, -0.0, 1e308, float("nan"), float("inf"), 1 << 31, 1 << 70, -(1 << 63)),
    *("", "x", "../../etc/passwd", "a\0b", "\x1b[31m", "ä" * 300, "x" * 5000, "float32", "U16", "pt", "relu"),
    *([], {}, [[]], [0], [-1, 3], [1 << 40, 1 << 40], {"a": 1}, [None] * 300, "\ud800"),
)

Damage = Callable[[random.Random, Subject], bytes]


def find_numbers(data: bytes, expected: State) -> list[tuple[int, int]]:
    """Where the numbers of the tensors lie, as they are or as protocol 2 codes them."""
    ranges = []
    for array in expected.values():
        slices = [part.tobytes() for part in np.array_split(array.ravel(), SLICES)]
        for body in {array.tobytes(), array.tobytes("F"), *slices} - {b""}:
            for form in (body, body.decode("latin1").encode("utf-8")):
                at = data.find(form)
                if at >= 0:
                    ranges.append((at, at + len(form)))
    return ranges


def draw_place(chance: random.Random, data: bytes, spared: list[tuple[int, int]]) -> int:
    """A byte that is not a number's."""
    for _ in range(200):
        at = chance.randrange(len(data))
        if not any(start <= at < stop for start, stop in spared):
            return at
    return 0


# By bytes.


def truncate(chance: random.Random, subject: Subject) -> bytes:
    data = subject.files[subject.target]
    return data[: chance.randrange(len(data))]


def flip(chance: random.Random, subject: Subject) -> bytes:
    data = subject.files[subject.target]
    at = draw_place(chance, data, find_numbers(data, subject.expected))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def set_bytes(chance: random.Random, subject: Subject) -> bytes:
    data = subject.files[subject.target]
    at = draw_place(chance, data, find_numbers(data, subject.expected))
    body = chance.choice((b"\0", b"\xff", b"\x7f", b"\x80", chance.randbytes(chance.randint(1, 4))))
    return data[:at] + body + data[at + len(body) :]


def set_length(chance: random.Random, subject: Subject) -> bytes:
    """A hostile number of any width in the place of any bytes outside the numbers."""
    data = subject.files[subject.target]
    width = chance.choice((1, 2, 4, 8))
    number = chance.choice((*HOSTILE, len(data), len(data) - 1, len(data) + 1)) % (1 << 8 * width)
    at = draw_place(chance, data, find_numbers(data, subject.expected))
    return data[:at] + number.to_bytes(width, chance.choice(("little", "big"))) + data[at + width :]


def move(chance: random.Random, subject: Subject) -> bytes:
    """A stretch left out, repeated, or put elsewhere."""
    data = subject.files[subject.target]
    start = chance.randrange(len(data))
    stop = min(len(data), start + chance.choice((1, 2, 4, 8, 20, 100)))
    how = chance.randrange(3)
    if how == 0:
        return data[:start] + data[stop:]
    if how == 1:
        return data[:stop] + data[start:stop] * chance.choice((1, 2, 2000)) + data[stop:]
    at = chance.randrange(len(data))
    return data[:at] + data[start:stop] + data[at:]


# By the rules of a format.


def splice_opcodes(chance: random.Random, subject: Subject) -> bytes:
    return _splice(chance, subject.files[subject.target])


def _splice(chance: random.Random, data: bytes) -> bytes:
    """Opcodes left out, repeated, put elsewhere, exchanged for others; frames are opened up so that this is seen."""
    pieces = [piece for piece in _opcodes(data) if piece[:1] != b"\x95"]
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(pieces))
        how = chance.randrange(5)
        if how == 0:
            del pieces[at : at + chance.choice((1, 1, 2, 5))]
        elif how == 1:
            pieces[at:at] = [chance.choice(pieces)] * chance.choice((1, 1, 2, 40, 1000))
        elif how == 2:
            pieces[at] = bytes([chance.choice(_BARE)])
        elif how == 3:
            pieces[at : at + 1] = chance.choice(_FRAGMENTS)
        else:
            other = chance.randrange(len(pieces))
            pieces[at], pieces[other] = pieces[other], pieces[at]
        if not pieces:
            break
    return b"".join(pieces)


def _opcodes(data: bytes) -> list[bytes]:
    places = [at for _, _, at in pickletools.genops(data)]
    return [data[at:end] for at, end in zip(places, [*places[1:], len(data)])]


_BARE = [ord(opcode.code) for opcode in pickletools.opcodes if opcode.arg is None]
_FRAGMENTS = (
    [b"cposix\nsystem\n"],
    [b"cbuiltins\neval\n"],
    [b"cnumpy\ndtype\n", b"X\x02\0\0\0M8", b"\x89\x88\x87", b"R"],
    [b"cnumpy\ndtype\n", b"X\x02\0\0\0O8", b"\x89\x88\x87", b"R"],
    [b"ccollections\nOrderedDict\n", b")", b"R"],
    [b"r\xff\xff\xff\x7f"],
    [b"\x8d" + b"\xff" * 8],
    [b"\x8a\xff" + b"\xff" * 255],
    [b"\x8b\xff\xff\xff\x7f"],
    [b"J\xff\xff\xff\x7f"],
    [b"\x85"] * 5000,
    [b"2"] * 100,
)


def change_json(chance: random.Random, subject: Subject) -> bytes:
    return _change_json(chance, subject.files[subject.target])


def _change_json(chance: random.Random, data: bytes) -> bytes:
    value = json.loads(data)
    for _ in range(chance.choice((1, 1, 2))):
        places = list(_places(value))
        holder, key = chance.choice(places)
        how = chance.randrange(6)
        if how < 3:
            holder[key] = copy.deepcopy(chance.choice(VALUES))
        elif how == 3:
            del holder[key]
        elif how == 4:
            holder[key] = json.loads("[" * 400 + "]" * 400)
        elif isinstance(holder, dict):
            holder[chance.choice(("x", "", "\n", "weight_map", "architectures"))] = copy.deepcopy(chance.choice(VALUES))
    text = json.dumps(value).encode()
    if chance.random() < 0.1:  # the same key again
        text = text.replace(b"{", b'{"a": 1, "a": 2, ', 1)
    return text


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


def change_header(chance: random.Random, subject: Subject) -> bytes:
    """The JSON at the head of a safetensors file, with its length set right."""
    data = subject.files[subject.target]
    size = struct.unpack("<Q", data[:8])[0]
    header = _change_json(chance, data[8 : 8 + size])
    return struct.pack("<Q", len(header)) + header + data[8 + size :]


def change_fields(chance: random.Random, subject: Subject) -> bytes:
    """A field of a protobuf message, at any depth, changed, left out or repeated; the lengths around it are right."""
    return _change_fields(chance, subject.files[subject.target], 0)


def _change_fields(chance: random.Random, data: bytes, depth: int) -> bytes:
    fields = _fields(data)
    if not fields:
        return data + chance.randbytes(3)
    at = chance.randrange(len(fields))
    number, kind, value = fields[at]
    how = chance.randrange(5)
    if kind == 2 and _fields(value) and depth < 8 and chance.random() < 0.7:
        fields[at] = (number, kind, _change_fields(chance, value, depth + 1))
    elif how == 0:
        del fields[at]
    elif how == 1:
        fields[at:at] = [fields[at]] * chance.choice((1, 1, 3, 3000))
    elif how == 2:
        fields[at] = (chance.choice((0, 1, 2, 3, 4, 15, 100_000)), kind, value)
    elif kind == 0:
        fields[at] = (number, 0, chance.choice(HOSTILE))
    else:
        fields[at] = (
            number,
            kind,
            chance.choice((b"", b"\xff\xfe", b"x" * 5000, chance.randbytes(4), value[:-1], b"feed")),
        )
    return b"".join(_field(*field) for field in fields)


def _fields(data: bytes) -> list[tuple[int, int, Any]]:
    """The fields of a message, or nothing where these are no message."""
    from converter.files.protobuf import WireError, walk_fields

    try:
        return [
            (f.number, f.wire_type, f.value if isinstance(f.value, int) else bytes(f.value))
            for f in walk_fields(memoryview(data))
        ]
    except WireError:
        return []


def _field(number: int, kind: int, value: Any) -> bytes:
    from tests.support.streams import varint

    head = varint(number << 3 | kind)
    if kind == 0:
        return head + varint(value)
    return head + (varint(len(value)) if kind == 2 else b"") + value


def change_stream(chance: random.Random, subject: Subject) -> bytes:
    """A field of the head of a tensor's stream: version, levels, the description and its length."""
    data = subject.files[subject.target]
    heads = [start - 60 for start, _ in find_numbers(data, subject.expected)]
    start = max(0, chance.choice(heads)) if heads else 0
    at = start + chance.randrange(60)
    width = chance.choice((1, 4, 8))
    return data[:at] + (chance.choice(HOSTILE) % (1 << 8 * width)).to_bytes(width, "little") + data[at + width :]


def change_record(chance: random.Random, subject: Subject) -> bytes:
    """A record of a zip archive, whose sums stay right: its pickle spliced, or its bytes changed."""
    wanted = "data.pkl" if chance.random() < 0.8 else chance.choice(("version", "byteorder", "data/0", "data/7"))

    def change(name: str, record: bytes) -> bytes:
        if not name.endswith(wanted) or not record:
            return record
        if wanted == "data.pkl" and chance.random() < 0.7:
            return _splice(chance, record)
        at = chance.randrange(len(record))
        return record[:at] + chance.choice((b"", b"\0", b"\xff", chance.randbytes(4))) + record[at + 1 :]

    return rezip(subject.files[subject.target], change)


_BYTES: tuple[Damage, ...] = (truncate, flip, flip, set_bytes, set_length, move)
_BY_KIND: dict[str, tuple[Damage, ...]] = {
    "pickle": (splice_opcodes, splice_opcodes, splice_opcodes),
    "safetensors": (change_header, change_header),
    "json": (change_json, change_json, change_json),
    "protobuf": (change_fields, change_fields, change_fields),
    "stream": (change_stream, change_stream),
    "zip": (change_record, change_record),
}
#: Damage after which a tensor that is still there must have its old numbers, if a file of numbers says whose they are.
NO_OTHER_SOUND_FILE = (truncate, flip)


def damages_of(kind: str) -> tuple[Damage, ...]:
    return (*_BYTES, *_BY_KIND.get(kind, ()))
