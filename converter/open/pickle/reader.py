"""Decode the opcodes of a pickle and their arguments; every length is checked against the bytes that are left."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from typing import NamedTuple, Union

from converter.open.pickle.opcodes import ACCEPTED, OPCODES, PYTHON2_ONLY, Opcode
from converter.open.pickle.values import Refusal

#: A checkpoint of 390 tensors takes 12,000. Each may cost a few hundred bytes of memory.
MOST_OPCODES = 400_000
MOST_LINE = 512

#: None, a number, two lines, or the start and length of a run of bytes.
Argument = Union[None, int, float, tuple[str, str], tuple[int, int]]


class Step(NamedTuple):
    """An opcode of the file, where it stands, and its argument."""

    at: int
    opcode: Opcode
    argument: Argument


def read_opcodes(buffer: mmap.mmap) -> Iterator[Step]:
    """Every opcode up to STOP, which must be the file's last byte. Raises Refusal."""
    end, protocol = len(buffer), _protocol(buffer)
    at, frame_end, count = 0, 0, 0
    while True:
        count += 1
        if count > MOST_OPCODES:
            raise Refusal("E302", f"more than {MOST_OPCODES} opcodes, which no checkpoint has", at)
        opcode = _opcode(buffer, at, protocol)
        argument, position = read_argument(buffer, at, opcode)
        if opcode.name == "FRAME":
            frame_end = _frame(at, position, argument, frame_end, end)
        elif at < frame_end < position:
            raise Refusal("E303", f"{opcode.name} reaches over the end of its frame at byte {frame_end}", at)
        elif opcode.name == "PROTO" and at > 0:
            raise Refusal("E302", "a second PROTO", at)
        elif opcode.name == "STOP" and position != end:
            raise Refusal("E303", f"{end - position} bytes follow its STOP. Is it more than one file?", at)
        yield Step(at, opcode, argument)
        if opcode.name == "STOP":
            return
        at = position


def scan_opcodes(buffer: mmap.mmap, at: int) -> Iterator[Step]:
    """The opcodes from byte `at` on, accepted or not, up to the first one that cannot be read. Nothing is refused."""
    for _ in range(MOST_OPCODES):
        opcode = OPCODES.get(buffer[at]) if at < len(buffer) else None
        if opcode is None:
            return
        try:
            argument, after = read_argument(buffer, at, opcode)
        except Refusal:
            return
        yield Step(at, opcode, argument)
        at = after


def _protocol(buffer: mmap.mmap) -> int:
    """The protocol in the first two bytes; 1 when the file starts without one, as protocols 0 and 1 do."""
    if buffer[0] != 0x80:
        return 1
    protocol = buffer[1] if len(buffer) > 1 else 0
    if not 2 <= protocol <= 5:
        raise Refusal("E303", f"pickle protocol {protocol}, expected 2 to 5", 0)
    return protocol


def _opcode(buffer: mmap.mmap, at: int, protocol: int) -> Opcode:
    if at >= len(buffer):
        raise Refusal("E303", "ends before its STOP. Is the file complete?", at)
    byte = buffer[at]
    opcode = ACCEPTED.get(byte)
    if opcode is None:
        known = OPCODES.get(byte)
        what = f"the opcode {known.name}" if known else f"{byte:#04x}, which is no opcode"
        raise Refusal("E302", f"{what}: pickles of Paddle have none such", at)
    if opcode.protocol > protocol or (opcode.name in PYTHON2_ONLY and protocol > 2):
        raise Refusal("E303", f"the opcode {opcode.name} in a pickle of protocol {protocol}, which has none such", at)
    return opcode


def read_argument(buffer: mmap.mmap, at: int, opcode: Opcode) -> tuple[Argument, int]:
    """The argument of the opcode at `at`, and the position after it. Raises Refusal."""
    position = at + 1
    form, _, number = opcode.argument.partition(" ")
    if not form:
        return None, position
    width = int(number)
    if form == "lines":
        if width == 1:
            return _long_line(buffer, at, position)
        module, position = _line(buffer, at, position)
        name, position = _line(buffer, at, position)
        return (module, name), position
    _need(buffer, at, position, width)
    raw = buffer[position : position + width]
    position += width
    if form == "float":
        return float(struct.unpack(">d", raw)[0]), position
    value = int.from_bytes(raw, "little", signed=form == "signed")
    if form != "sized":
        return value, position
    _need(buffer, at, position, value)
    return (position, value), position + value


def _need(buffer: mmap.mmap, at: int, position: int, size: int) -> None:
    left = len(buffer) - position
    if size > left:
        raise Refusal("E303", f"{size} bytes are announced and {left} are left. Is the file complete?", at)


def _line(buffer: mmap.mmap, at: int, position: int) -> tuple[str, int]:
    stop = buffer.find(b"\n", position, position + MOST_LINE)
    if stop < 0:
        raise Refusal("E303", "a name without an end. Is the file complete?", at)
    try:
        return buffer[position:stop].decode("utf-8"), stop + 1
    except UnicodeDecodeError:
        raise Refusal("E303", "a name that is not UTF-8", at) from None


def _long_line(buffer: mmap.mmap, at: int, position: int) -> tuple[Argument, int]:
    """The argument of a refused opcode, of which only the beginning can matter."""
    stop = buffer.find(b"\n", position)
    if stop < 0:
        raise Refusal("E303", "a line without an end. Is the file complete?", at)
    return (buffer[position : min(stop, position + MOST_LINE)].decode("latin1"), ""), stop + 1


def _frame(at: int, position: int, size: Argument, frame_end: int, end: int) -> int:
    assert isinstance(size, int)
    if at < frame_end:
        raise Refusal("E303", f"a frame inside the frame that ends at byte {frame_end}", at)
    if size > end - position:
        raise Refusal("E303", f"a frame of {size} bytes, and {end - position} are left. Is the file complete?", at)
    return position + size
