"""Check the pickle of a torch.save file before torch reads it: it may look up the parts of tensors and nothing else."""

from __future__ import annotations

import re
from typing import Any

from converter.common.errors import file_error
from converter.files.regular_files import quoted
from converter.open.pickle.opcodes import ACCEPTED, OPCODES, Opcode
from converter.open.pickle.reader import MOST_OPCODES, read_argument
from converter.open.pickle.values import Refusal
from converter.open.torch.torch_stack import TorchStack

#: The magic number that a file of torch before 1.6 starts with, itself a pickle.
LEGACY_START = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
#: Pickles in such a file: the magic number, the protocol, the system, the object, the keys of the storages.
_LEGACY_PICKLES = 5
_PLAIN = "What is read is a plain state dict: torch.save(model.state_dict(), FILE)"
_LOOKED_UP = re.compile(
    r"collections OrderedDict"
    r"|torch\._utils _rebuild_(tensor|tensor_v2|parameter)"
    r"|torch (Float|Double|Half|BFloat16|Long|Int|Short|Char|Byte|Bool)Storage"
    r"|torch\.storage UntypedStorage"
)
#: torch writes protocol 2, with storages as persistent ids and names as GLOBAL.
_WRITTEN = {
    **{byte: opcode for byte, opcode in ACCEPTED.items() if opcode.protocol <= 2},
    **{byte: opcode for byte, opcode in OPCODES.items() if opcode.name in ("BINPERSID", "LONG4")},
}


def check_pickle(data: bytes, file: str) -> set[str]:
    """The keys of the records that the pickle names. Raises FileError when it looks anything else up, is damaged, or
    does not end where the data end."""
    stack = TorchStack(data)
    end = _walk(data, 0, file, stack)
    if end != len(data):
        raise file_error("E303", file, f"{len(data) - end} bytes follow its STOP", offset=end)
    return stack.storages


def check_legacy(buffer: Any, file: str) -> None:
    """The same for the pickles that stand before the numbers in a file (bytes or a map) of torch before 1.6."""
    at = 0
    for _ in range(_LEGACY_PICKLES):
        at = _walk(buffer, at, file, TorchStack(buffer))


def _walk(buffer: Any, at: int, file: str, stack: TorchStack) -> int:
    """The position after STOP of the pickle that starts at `at`."""
    for _ in range(MOST_OPCODES):
        if at >= len(buffer):
            raise file_error("E303", file, "ends before its STOP. Is the file complete?", offset=at)
        opcode = _WRITTEN.get(buffer[at])
        if opcode is None:
            _refuse(buffer, at, file)
        assert opcode is not None
        try:
            argument, after = read_argument(buffer, at, opcode)
        except Refusal as error:
            raise file_error("E303", file, str(error), offset=at) from None
        _check_name(opcode, argument, at, file)
        try:
            stack.follow(opcode, argument)
        except Refusal as error:
            raise file_error(error.code, file, str(error), offset=at) from None
        if opcode.name == "STOP":
            return after
        at = after
    raise file_error("E302", file, f"more than {MOST_OPCODES} opcodes, which no model has", offset=at)


def _refuse(buffer: Any, at: int, file: str) -> None:
    known = OPCODES.get(buffer[at])
    if known is not None and known.name == "INST":
        try:
            argument, _ = read_argument(buffer, at, known)
            _check_name(known, argument, at, file)
        except Refusal:
            pass  # The name cannot be read; the opcode is reason enough.
    what = f"the opcode {known.name}" if known else f"{buffer[at]:#04x}, which is no opcode"
    raise file_error("E302", file, f"{what}: torch writes none such for tensors. Not loaded", offset=at)


def _check_name(opcode: Opcode, argument: Any, at: int, file: str) -> None:
    if opcode.name in ("GLOBAL", "INST") and not _LOOKED_UP.fullmatch(" ".join(argument)):
        wanted = quoted(".".join(argument), 120)
        reason = f"asks to run {wanted}. Not loaded. Do not open this file with torch.load. {_PLAIN}"
        raise file_error("E301", file, reason, offset=at)
