"""The values on the stack of the pickle machine: plain descriptions that cannot run anything.

None, bool, int, float and tuple represent themselves. Everything else is one of these.
"""

from __future__ import annotations

import mmap
from typing import NamedTuple, Optional, Union

from converter.open.bounds import MOST_NAMES

#: Names and keys are far below this; only array data may be longer.
SHORT_BYTES = 4096


class Refusal(Exception):
    """Why a pickle is not read: a code, a reason, and the byte if it is not that of the current opcode."""

    def __init__(self, code: str, reason: str, at: int | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.at = at


class Extent(NamedTuple):
    """A string or bytes of the file, not copied.

    `kind` is "text" (UTF-8), "string" (Python 2: text and bytes in one), "bytes", "bytearray", or "coded" (bytes that
    lie in the file as UTF-8 text, from `_codecs.encode(text, "latin1")`). `decoded` is the number of bytes that they
    represent, None for a string that represents none.
    """

    kind: str
    buffer: mmap.mmap
    start: int
    size: int
    decoded: Optional[int]

    def raw(self) -> bytes:
        return self.buffer[self.start : self.start + self.size]


class Global(NamedTuple):
    """The name of a function or class on the allow-list, never the object itself."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


class PickleList:
    __slots__ = ("items", "used")

    def __init__(self) -> None:
        self.items: list[object] = []
        self.used = False


class PickleDict:
    """A dict, or an OrderedDict. Keys are text or whole numbers."""

    __slots__ = ("items",)

    def __init__(self) -> None:
        self.items: dict[Union[str, int], object] = {}


class Names:
    """The names of one file, each stored once however many dicts use it, with a limit on their total length."""

    def __init__(self) -> None:
        self._kept: dict[Union[str, int], Union[str, int]] = {}
        self._characters = 0

    def keep(self, name: Union[str, int]) -> Union[str, int]:
        """The one object for a name. Raises Refusal for more than any checkpoint has."""
        kept = self._kept.get(name)
        if kept is None:
            kept = self._kept[name] = name
            self._characters += len(name) if isinstance(name, str) else 0
            if self._characters > MOST_NAMES:
                text = f"its names are longer than {MOST_NAMES >> 20} MiB together, which no checkpoint has"
                raise Refusal("E312", text)
        return kept


class PickleDtype:
    """A numpy dtype. The call gives the code, BUILD the byte order; both are needed before it can be used."""

    def __init__(self, code: str, name: str, size: int) -> None:
        self.code = code
        self.name = name
        self.size = size
        self.built = False


class PickleArray:
    """A numpy array; BUILD adds the data, whose length matches shape and dtype."""

    __slots__ = ("data", "dtype", "fortran", "shape")

    def __init__(self) -> None:
        self.dtype = ""
        self.shape: tuple[int, ...] = ()
        self.fortran = False
        self.data: Optional[Extent] = None


class PickleScalar(NamedTuple):
    """A numpy scalar, such as the epoch next to a state dict."""

    dtype: str
    data: Extent


def text_of(value: object) -> str | None:
    """The text of a short string, else None. Python 2's strings are latin1, as Paddle reads them."""
    if not isinstance(value, Extent) or value.kind not in ("text", "string") or value.size > SHORT_BYTES:
        return None
    return value.raw().decode("utf-8" if value.kind == "text" else "latin1")


def bytes_of(value: object) -> bytes | None:
    """The bytes of a short byte string, else None."""
    if not isinstance(value, Extent) or value.kind == "text" or value.size > SHORT_BYTES:
        return None
    return value.raw().decode("utf-8").encode("latin1") if value.kind == "coded" else value.raw()


def is_whole(value: object, expected: int | None = None) -> bool:
    """Whether a value is an int (not a bool), and the expected one."""
    return type(value) is int and (expected is None or value == expected)
