"""Simulate the stack of a torch.save pickle without making its values, to find how far its tuples unfold and which
records of the archive it names."""

from __future__ import annotations

from typing import Any, NamedTuple, Optional

from converter.open.pickle.opcodes import Opcode
from converter.open.pickle.values import Refusal

#: Values in a tuple and in those in it, shared ones counted each time. The hash of a tuple takes as many steps, and a
#: pair of one pair of one pair ... doubles them each time. A tensor's arguments are 30.
_MOST_IN_TUPLE = 10_000
_MOST_KEY = 512
_TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_TEXTS = ("BINUNICODE", "BINSTRING", "SHORT_BINSTRING")
#: How many values each opcode takes from the stack, and whether it leaves one.
_EFFECTS = {
    "REDUCE": (2, True),
    "BUILD": (2, True),
    "APPEND": (2, True),
    "SETITEM": (3, True),
    "STOP": (1, False),
    **dict.fromkeys(("PROTO", "FRAME"), (0, False)),
}


class _Value(NamedTuple):
    """`size`: what it unfolds to. `text`: of a short text. `items`: of a tuple, their texts."""

    size: int = 1
    text: Optional[str] = None
    items: tuple[Optional[str], ...] = ()


class TorchStack:
    """`storages`: the keys of the records that hold the numbers. `follow` raises Refusal."""

    def __init__(self, buffer: Any) -> None:
        self.storages: set[str] = set()
        self._buffer = buffer
        self._stack: list[_Value] = []
        self._marks: list[int] = []
        self._memo: dict[int, _Value] = {}

    def follow(self, opcode: Opcode, argument: Any) -> None:
        name = opcode.name
        if name == "MARK":
            self._marks.append(len(self._stack))
        elif name in _TUPLES or name == "TUPLE":
            self._stack.append(self._tuple(self._to_mark() if name == "TUPLE" else self._pop(_TUPLES[name])))
        elif name in ("APPENDS", "SETITEMS"):
            self._to_mark()
            self._stack.append(self._pop(1)[0])
        elif name in ("BINPUT", "LONG_BINPUT"):
            self._memo[argument] = self._pop(1)[0]
            self._stack.append(self._memo[argument])
        elif name in ("BINGET", "LONG_BINGET"):
            if argument not in self._memo:
                raise Refusal("E303", f"takes place {argument} of the memo, which holds nothing")
            self._stack.append(self._memo[argument])
        elif name == "BINPERSID":
            self._stack.append(self._storage(self._pop(1)[0]))
        elif name in _EFFECTS:
            taken, leaves = _EFFECTS[name]
            self._pop(taken)
            self._stack += [_Value()] if leaves else []
        else:
            self._stack.append(self._plain(name, argument))

    def _plain(self, name: str, argument: Any) -> _Value:
        if name not in _TEXTS or argument[1] > _MOST_KEY:
            return _Value()
        start, size = argument
        return _Value(text=bytes(self._buffer[start : start + size]).decode("utf-8", "replace"))

    def _pop(self, count: int) -> list[_Value]:
        floor = self._marks[-1] if self._marks else 0
        if len(self._stack) - count < floor:
            raise Refusal("E303", "takes a value from the stack, and none is there")
        values = self._stack[len(self._stack) - count :]
        del self._stack[len(self._stack) - count :]
        return values

    def _to_mark(self) -> list[_Value]:
        if not self._marks:
            raise Refusal("E303", "goes back to a MARK, and none is there")
        mark = self._marks.pop()
        values = self._stack[mark:]
        del self._stack[mark:]
        return values

    def _tuple(self, values: list[_Value]) -> _Value:
        size = 1 + sum(value.size for value in values)
        if size > _MOST_IN_TUPLE:
            raise Refusal("E302", "nests tuples that unfold to thousands of values, which no model has")
        return _Value(size, None, tuple(value.text for value in values[:8]))

    def _storage(self, named: _Value) -> _Value:
        """("storage", its class, the key of the record, the device, the number of elements)"""
        key = named.items[2] if len(named.items) > 2 else None
        if key is not None:
            self.storages.add(key)
        return _Value()
