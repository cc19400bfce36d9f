"""Search the rest of a refused pickle for the function that it wanted to call, without interpreting it.

A file may hide a call behind an opcode that is refused before the call is reached. The error should name the call all
the same, because that is what the user has to know.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Mapping, Sequence

from converter.open.pickle.arrays import known_global
from converter.open.pickle.opcodes import Opcode
from converter.open.pickle.reader import Argument, scan_opcodes
from converter.open.pickle.values import SHORT_BYTES, Extent, text_of

_IDENTIFIERS = re.compile(r"[A-Za-z_]\w*(\.\w+)*")
_SILENT_OPCODES = ("MARK", "BINPUT", "LONG_BINPUT", "PUT", "MEMOIZE")
_TEXT_OPCODES = ("SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "SHORT_BINSTRING", "BINSTRING")


def wanted_code(
    buffer: mmap.mmap, at: int, memo: Mapping[int, object], stack: Sequence[object]
) -> tuple[str, int] | None:
    """The first global from byte `at` on that no checkpoint needs, as "module.name" and its byte, or None."""
    strings = _Strings(dict(memo), list(stack[-2:]))
    evaluates: int | None = None  # Where eval was named, until it is known what it should evaluate.
    for place, opcode, argument in scan_opcodes(buffer, at):
        if opcode.name in ("EXT1", "EXT2", "EXT4"):
            return f"extension {argument} of copyreg", place
        found = strings.follow(buffer, opcode, argument)
        if evaluates is not None and opcode.name not in _SILENT_OPCODES:
            what = _text(strings.last[-1]) if strings.last else None
            if what != "data":
                return f"builtins.eval({what or ''})", evaluates
            evaluates = None
        if found is None:
            continue
        module, name = found
        plain = _IDENTIFIERS.fullmatch(module) and _IDENTIFIERS.fullmatch(name)
        known = known_global(module, name)
        if plain and known is None:
            return f"{module}.{name}", place
        if known is not None and known.name == "eval":
            evaluates = place
    return None


class _Strings:
    """The values that were pushed last and the memo: enough to know which strings STACK_GLOBAL takes.

    Strings stay in the file until they are needed; one that is put into every place of the memo would otherwise be
    copied as often.
    """

    def __init__(self, memo: dict[int, object], last: list[object]) -> None:
        self.memo = memo
        self.last = last

    def follow(self, buffer: mmap.mmap, opcode: Opcode, argument: Argument) -> tuple[str, str] | None:
        """The module and name when the opcode names a global, else None."""
        if opcode.name in ("GLOBAL", "INST") and isinstance(argument, tuple):
            self._push(None)
            return str(argument[0]), str(argument[1])
        if opcode.name == "STACK_GLOBAL":
            module, name = map(_text, [None, None, *self.last][-2:])
            self._push(None)
            return (module, name) if module is not None and name is not None else None
        self._keep(buffer, opcode, argument)
        return None

    def _keep(self, buffer: mmap.mmap, opcode: Opcode, argument: Argument) -> None:
        name = opcode.name
        if name in _TEXT_OPCODES and isinstance(argument, tuple):
            start, size = int(argument[0]), int(argument[1])
            self._push(Extent("lenient", buffer, start, size, None) if size <= SHORT_BYTES else None)
        elif name in ("STRING", "UNICODE") and isinstance(argument, tuple):
            self._push(str(argument[0]).strip("'\""))
        elif name in ("BINGET", "LONG_BINGET", "GET"):
            self._push(self.memo.get(_index(argument)))
        elif name in ("BINPUT", "LONG_BINPUT", "PUT", "MEMOIZE"):
            index = len(self.memo) if name == "MEMOIZE" else _index(argument)
            self.memo[index] = self.last[-1] if self.last else None
        elif name == "DUP":
            self._push(self.last[-1] if self.last else None)
        elif name == "POP":
            self.last = self.last[:-1]
        elif name not in ("MARK", "PROTO", "FRAME"):
            self._push(None)

    def _push(self, value: object) -> None:
        self.last = [*self.last[-7:], value]


def _text(value: object) -> str | None:
    if isinstance(value, Extent) and value.kind == "lenient":
        return value.raw().decode("utf-8", "replace")
    return value if isinstance(value, str) else text_of(value)


def _index(argument: Argument) -> int:
    if isinstance(argument, tuple):
        digits = str(argument[0])
        return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 12 else -1
    return int(argument or 0)
