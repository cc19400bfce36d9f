"""An interpreter for the pickles of Paddle, over a memory map, that cannot call anything.

Python's own unpickler calls what the file names; this one makes descriptions (`values`) and accepts only the few calls
that checkpoints use, in their exact form (`arrays`). Strings stay in the file.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable

from converter.open.pickle.arrays import build, call, known_global, set_item
from converter.open.pickle.latin1_bytes import count_latin1
from converter.open.pickle.reader import Argument, Step, read_opcodes
from converter.open.pickle.values import (
    SHORT_BYTES,
    Extent,
    Names,
    PickleDict,
    PickleList,
    Refusal,
    text_of,
)


class PickleMachine:
    """The stack and the memo of one pickle. `run` raises Refusal."""

    def __init__(self, buffer: mmap.mmap) -> None:
        self.buffer = buffer
        self.at = 0
        self.protocol = 1
        self.steps = 0
        self.stack: list[object] = []
        self.marks: list[int] = []
        self.memo: dict[int, object] = {}
        self.names = Names()

    def run(self) -> object:
        for step in read_opcodes(self.buffer):
            self.at = step.at
            self.steps += 1
            _ACTIONS[step.opcode.name](self, step)
        value = self.pop()
        if self.stack or self.marks:
            raise Refusal("E303", f"stops with {len(self.stack) + len(self.marks)} values too many on the stack")
        if self.protocol < 2:
            raise Refusal("E302", "a pickle of protocol 0 or 1, which Paddle never writes")
        return value

    def pop(self) -> object:
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise Refusal("E303", "takes a value from the stack, and none is there")
        return self.stack.pop()

    def pop_to_mark(self) -> list[object]:
        if not self.marks:
            raise Refusal("E303", "goes back to a MARK, and none is there")
        mark = self.marks.pop()
        values = self.stack[mark:]
        del self.stack[mark:]
        return values

    def put(self, index: int) -> None:
        """Store the top of the stack in the memo. Picklers number from 0 or 1 on and never use a number twice."""
        if index > self.steps or index in self.memo:
            raise Refusal("E302", f"puts a value into place {index} of the memo, which no pickler does here")
        value = self.pop()
        self.stack.append(value)
        self.memo[index] = value

    def get(self, index: int) -> None:
        if index not in self.memo:
            raise Refusal("E303", f"takes place {index} of the memo, which holds nothing")
        self.stack.append(self.memo[index])

    def push_global(self, module: str | None, name: str | None) -> None:
        if module is None or name is None:
            raise Refusal("E302", "names a global by something that is no text")
        found = known_global(module, name)
        if found is None:
            raise Refusal("E301", f"{module}.{name}")
        self.stack.append(found)

    def push_tuple(self, count: int) -> None:
        values = [self.pop() for _ in range(count)]
        self.stack.append(tuple(reversed(values)))

    def append(self, values: list[object]) -> None:
        target = self.pop()
        if not isinstance(target, PickleList):
            raise Refusal("E303", "appends to what is no list")
        target.items += values
        self.stack.append(target)

    def set_items(self, values: list[object]) -> None:
        target = self.pop()
        if not isinstance(target, PickleDict) or len(values) % 2:
            raise Refusal("E303", "sets items of what is no dict, or a key without a value")
        for key, value in zip(values[::2], values[1::2]):
            set_item(target, key, value, self.names)
        self.stack.append(target)


# One action per opcode.

_Action = Callable[[PickleMachine, Step], None]


def _push(make: Callable[[], object]) -> _Action:
    return lambda machine, step: machine.stack.append(make())


def _push_argument(machine: PickleMachine, step: Step) -> None:
    machine.stack.append(step.argument)


def _push_long(machine: PickleMachine, step: Step) -> None:
    start, size = _run(step.argument)
    machine.stack.append(int.from_bytes(machine.buffer[start : start + size], "little", signed=True))


def _push_extent(kind: str) -> _Action:
    def action(machine: PickleMachine, step: Step) -> None:
        start, size = _run(step.argument)
        machine.stack.append(Extent(kind, machine.buffer, start, size, size))

    return action


def _push_text(machine: PickleMachine, step: Step) -> None:
    """Push a string. Short ones are checked by decoding them; long ones may be an array's bytes: counted in place."""
    start, size = _run(step.argument)
    decoded = count_latin1(machine.buffer, start, size) if size > SHORT_BYTES else None
    if size <= SHORT_BYTES:
        try:
            text = machine.buffer[start : start + size].decode("utf-8")
        except UnicodeDecodeError:
            raise Refusal("E303", "text that is not UTF-8") from None
        decoded = len(text) if text.isascii() or max(text) < "\u0100" else None
    machine.stack.append(Extent("text", machine.buffer, start, size, decoded))


def _reduce(machine: PickleMachine, step: Step) -> None:
    arguments = machine.pop()
    made = call(machine.pop(), arguments, machine.buffer)
    if isinstance(made, PickleDict):  # An OrderedDict of Python 2, made of pairs.
        made.items = {machine.names.keep(name): value for name, value in made.items.items()}
    machine.stack.append(made)


def _build(machine: PickleMachine, step: Step) -> None:
    state = machine.pop()
    target = machine.pop()
    build(target, state)
    machine.stack.append(target)


def _global(machine: PickleMachine, step: Step) -> None:
    assert isinstance(step.argument, tuple)
    machine.push_global(str(step.argument[0]), str(step.argument[1]))


def _stack_global(machine: PickleMachine, step: Step) -> None:
    name, module = machine.pop(), machine.pop()
    machine.push_global(text_of(module), text_of(name))


def _proto(machine: PickleMachine, step: Step) -> None:
    machine.protocol = _index(step.argument)


def _set_item(machine: PickleMachine, step: Step) -> None:
    value, key = machine.pop(), machine.pop()
    machine.set_items([key, value])


def _run(argument: Argument) -> tuple[int, int]:
    assert isinstance(argument, tuple)
    return int(argument[0]), int(argument[1])


def _index(argument: Argument) -> int:
    assert isinstance(argument, int)
    return argument


_ACTIONS: dict[str, _Action] = {
    "PROTO": _proto,
    "FRAME": lambda machine, step: None,
    "STOP": lambda machine, step: None,
    "MARK": lambda machine, step: machine.marks.append(len(machine.stack)),
    "NONE": _push(lambda: None),
    "NEWTRUE": _push(lambda: True),
    "NEWFALSE": _push(lambda: False),
    "EMPTY_DICT": _push(PickleDict),
    "EMPTY_LIST": _push(PickleList),
    "EMPTY_TUPLE": _push(tuple),
    "BININT": _push_argument,
    "BININT1": _push_argument,
    "BININT2": _push_argument,
    "BINFLOAT": _push_argument,
    "LONG1": _push_long,
    "BINUNICODE": _push_text,
    "SHORT_BINUNICODE": _push_text,
    "BINUNICODE8": _push_text,
    "BINSTRING": _push_extent("string"),
    "SHORT_BINSTRING": _push_extent("string"),
    "BINBYTES": _push_extent("bytes"),
    "SHORT_BINBYTES": _push_extent("bytes"),
    "BINBYTES8": _push_extent("bytes"),
    "BYTEARRAY8": _push_extent("bytearray"),
    "GLOBAL": _global,
    "STACK_GLOBAL": _stack_global,
    "REDUCE": _reduce,
    "BUILD": _build,
    "TUPLE": lambda machine, step: machine.stack.append(tuple(machine.pop_to_mark())),
    "TUPLE1": lambda machine, step: machine.push_tuple(1),
    "TUPLE2": lambda machine, step: machine.push_tuple(2),
    "TUPLE3": lambda machine, step: machine.push_tuple(3),
    "SETITEM": _set_item,
    "SETITEMS": lambda machine, step: machine.set_items(machine.pop_to_mark()),
    "APPEND": lambda machine, step: machine.append([machine.pop()]),
    "APPENDS": lambda machine, step: machine.append(machine.pop_to_mark()),
    "BINPUT": lambda machine, step: machine.put(_index(step.argument)),
    "LONG_BINPUT": lambda machine, step: machine.put(_index(step.argument)),
    "MEMOIZE": lambda machine, step: machine.put(len(machine.memo)),
    "BINGET": lambda machine, step: machine.get(_index(step.argument)),
    "LONG_BINGET": lambda machine, step: machine.get(_index(step.argument)),
}
