"""Read a whole pickle into descriptions of its values, or raise an error for the user."""

from __future__ import annotations

import mmap

from converter.common.errors import FileError, Problem, file_error
from converter.open.pickle.machine import PickleMachine
from converter.open.pickle.search import wanted_code
from converter.open.pickle.values import Global, PickleArray, PickleDict, PickleDtype, PickleList, Refusal

#: Paddle nests four deep: a dict of dicts of tuples of arrays.
_MOST_DEPTH = 32
#: Values met in a walk over the result. Shared ones count each time: 2^40 paths to one value are too many.
_MOST_VALUES = 1_000_000


def load_pickle(buffer: mmap.mmap, file: str) -> tuple[object, int]:
    """The value of a pickle, as descriptions, and the pickle's protocol. Raises FileError."""
    machine = PickleMachine(buffer)
    try:
        value = machine.run()
        check_tree(value)
    except Refusal as error:
        raise _file_error(error, machine, file) from None
    return value, machine.protocol


def _file_error(refusal: Refusal, machine: PickleMachine, file: str) -> FileError:
    """The error for the user. If a file that is refused for another reason also wants to run code, that is reported."""
    at = machine.at if refusal.at is None else refusal.at
    wanted: tuple[str, int] | None = None
    if refusal.code == "E301":
        wanted = refusal.reason, at
    elif at < len(machine.buffer):
        wanted = wanted_code(machine.buffer, at, machine.memo, machine.stack)
    if wanted is None:
        return file_error(refusal.code, file, refusal.reason, offset=at)
    name = ascii(wanted[0][:200])[1:-1].replace("\\'", "'")
    text = f"{file} asks to run '{name}' (byte {wanted[1]}). Not loaded."
    return FileError(Problem("E301", f"{text} Do not open this file with paddle.load."))


def check_tree(top: object) -> None:
    """Raises Refusal for a result that holds functions or half-made arrays, holds itself, or unfolds without bound."""
    path: list[tuple[object, list[object]]] = [(None, [top])]
    met = 0
    while path:
        if not path[-1][1]:
            path.pop()
            continue
        value = path[-1][1].pop()
        met += 1
        if met > _MOST_VALUES:
            raise Refusal("E302", "shares its containers so often that it unfolds to millions of values")
        if isinstance(value, Global):
            raise Refusal("E302", f"holds the function or class {value} among its values")
        half_array = isinstance(value, PickleArray) and value.data is None
        if half_array or (isinstance(value, PickleDtype) and not value.built):
            raise Refusal("E305", "an array or dtype is left without its state")
        children = _children(value)
        if children:
            if any(value is outer for outer, _ in path):
                raise Refusal("E302", "a container that holds itself")
            if len(path) > _MOST_DEPTH:
                raise Refusal("E302", f"containers nested more than {_MOST_DEPTH} deep")
            path.append((value, children))


def _children(value: object) -> list[object]:
    if isinstance(value, PickleDict):
        return list(value.items.values())
    if isinstance(value, PickleList):
        return list(value.items)
    return list(value) if type(value) is tuple else []
