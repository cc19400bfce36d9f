"""Hostile pickles: each idea in a row, each refused with a typed error, and nothing of it run."""

from __future__ import annotations

import builtins
import pickle
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from converter.common.errors import FileError
from tests.support.pickles import (
    PROTOCOLS,
    Runs,
    array,
    file_of,
    glob,
    numbered,
    one_tensor,
    open_bytes,
    raw,
    string,
    text,
    touch,
)


def short(value: str) -> bytes:
    return b"\x8c" + bytes([len(value)]) + value.encode()


SYSTEM = glob("posix", "system")
EVAL = glob("__builtin__", "eval")
SHELL = text("touch MARKER") + b"\x85R"

#: A body that asks to run something by a way of its own -> what the refusal names, and the byte.
CODE = {
    "GLOBAL and REDUCE": (file_of(SYSTEM + SHELL), "posix.system", 2),
    "never called": (file_of(b"}" + text("w") + SYSTEM + b"s"), "posix.system", 9),
    "STACK_GLOBAL": (file_of(short("posix") + short("system") + b"\x93" + SHELL, 4), "posix.system", 17),
    "STACK_GLOBAL out of the memo": (
        file_of(short("system") + b"\x94" + short("posix") + b"\x94h\x01h\x00\x93" + SHELL, 4),
        "posix.system",
        23,
    ),
    "STACK_GLOBAL in protocol 2": (file_of(text("posix") + text("system") + b"\x93" + SHELL, 2), "posix.system", 23),
    "STACK_GLOBAL of old strings": (file_of(b"S'posix'\nS'system'\n\x93" + SHELL, 4), "posix.system", 21),
    "INST": (file_of(b"(" + text("touch MARKER") + b"iposix\nsystem\n"), "posix.system", 20),
    "OBJ": (file_of(b"(" + SYSTEM + text("touch MARKER") + b"o"), "posix.system", 3),
    "NEWOBJ": (file_of(glob("subprocess", "Popen") + text("touch MARKER") + b"\x85\x81"), "subprocess.Popen", 2),
    "NEWOBJ_EX": (file_of(glob("subprocess", "Popen") + b")}\x92", 4), "subprocess.Popen", 2),
    "BUILD with a setstate": (
        file_of(b"}" + text("__setstate__") + SYSTEM + b"s" + text("touch MARKER") + b"b"),
        "posix.system",
        20,
    ),
    "an extension of copyreg": (file_of(b"\x82\x01"), "extension 1 of copyreg", 2),
    "another eval": (
        file_of(glob("builtins", "eval") + text("__import__('os')") + b"\x85R"),
        "builtins.eval(__import__('os'))",
        39,
    ),
    "eval of data with a function": (
        file_of(EVAL + text("data") + b"}" + text("data") + array(b")", raw(b"abcd")) + b"s\x86R"),
        None,
        None,
    ),
    "another eval in the shape of Paddle's": (
        file_of(EVAL + text("exit()") + b"}" + text("data") + array(b"K\x01\x85", raw(b"abcd")) + b"s\x86R"),
        "builtins.eval(exit())",
        176,
    ),
    "eval of data with another dict": (
        file_of(EVAL + text("data") + b"}" + text("data") + text("os") + b"s\x86R"),
        "builtins.eval(data)",
        48,
    ),
    "protocol 0": (b"cposix\nsystem\n(S'touch MARKER'\ntR.", "posix.system", 0),
    "protocol 0, after what is refused": (b"(lp0\n0cposix\nsystem\n(S'touch MARKER'\ntR.", "posix.system", 6),
    "behind an opcode that is refused": (file_of(b"(0" + SYSTEM + SHELL), "posix.system", 4),
    "behind a broken stack": (file_of(b"R" + SYSTEM + SHELL), "posix.system", 3),
    "behind text after STOP": (file_of(b"N." + SYSTEM + SHELL), "posix.system", 4),
    "behind an opcode that is refused, out of the memo": (
        file_of(short("system") + b"\x94" + short("posix") + b"\x940h\x01h\x00\x93" + SHELL, 4),
        "posix.system",
        24,
    ),
    "getattr": (file_of(glob("builtins", "getattr") + b")R"), "builtins.getattr", 2),
    "import_module": (file_of(glob("importlib", "import_module") + text("x") + b"\x85R"), "importlib.import_module", 2),
    "numpy's own loader": (file_of(glob("numpy", "load") + text("MARKER") + b"\x85R"), "numpy.load", 2),
    "a dotted name": (file_of(short("numpy") + short("ndarray.__class__") + b"\x93", 4), "numpy.ndarray.__class__", 28),
    "a class of torch": (file_of(glob("torch._utils", "_rebuild_tensor") + b")R"), "torch._utils._rebuild_tensor", 2),
}


@pytest.mark.parametrize("idea", CODE)
def test_code_is_named_and_not_run(idea: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, name, at = CODE[idea]
    monkeypatch.chdir(tmp_path)
    if name is None:  # the one eval that Paddle writes is a tensor, and alone it is no state dict
        with pytest.raises(FileError, match="E306.*holds one tensor"):
            open_bytes(tmp_path, data)
        return
    with pytest.raises(FileError) as refused:
        open_bytes(tmp_path, data)
    said = str(refused.value)
    assert said.startswith("error[E301]: model_state.pdparams asks to run") and name in said
    assert f"(byte {at})" in said and said.endswith("Not loaded. Do not open this file with paddle.load.")
    assert not (tmp_path / "MARKER").exists()


@pytest.mark.parametrize("protocol", [0, 1, *PROTOCOLS])
@pytest.mark.parametrize("payload", [touch, lambda marker: Runs(builtins.eval, f"open({str(marker)!r}, 'w')")])
def test_code_that_python_pickles_is_not_run(payload: Callable[[Path], Runs], protocol: int, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    data = pickle.dumps({"w": numbered(2), "x": payload(marker)}, protocol)
    pickle.loads(data)
    assert marker.exists(), "the payload works"
    marker.unlink()
    with pytest.raises(FileError, match=r"E301.*asks to run '(posix\.system|builtins\.eval\(open)"):
        open_bytes(tmp_path, data)
    assert not marker.exists()


#: A body that is not sound -> what the refusal says.
UNSOUND = {
    "empty after PROTO": (b"\x80\x04", "ends before its STOP"),
    "protocol 1": (b"\x80\x01}.", "pickle protocol 1, expected 2 to 5"),
    "protocol 6": (b"\x80\x06}.", "pickle protocol 6"),
    "PROTO twice": (b"\x80\x02\x80\x02}.", "a second PROTO"),
    "protocol 0": (b"}q\x00.", "protocol 0 or 1, which Paddle never writes"),
    "an opcode of protocol 4 in 2": (file_of(short("a"), 2), "SHORT_BINUNICODE in a pickle of protocol 2"),
    "a Python 2 string in protocol 3": (file_of(string(b"a"), 3), "SHORT_BINSTRING in a pickle of protocol 3"),
    "bytes after STOP": (file_of(b"}") + b"x", "1 bytes follow its STOP"),
    "a second pickle after STOP": (file_of(b"}") * 2, "4 bytes follow its STOP"),
    "no opcode": (file_of(b"\xff"), "0xff, which is no opcode"),
    "DUP": (file_of(b"N2"), "the opcode DUP"),
    "POP": (file_of(b"NN0"), "the opcode POP"),
    "a persistent id": (file_of(text("a") + b"Q"), "the opcode BINPERSID"),
    "LONG4": (file_of(b"\x8b" + struct.pack("<i", 1 << 30)), "the opcode LONG4"),
    "a buffer out of band": (file_of(b"\x97", 5), "the opcode NEXT_BUFFER"),
    "STOP on nothing": (file_of(b""), "takes a value from the stack"),
    "STOP on two": (file_of(b"NN"), "values too many on the stack"),
    "STOP with a MARK": (file_of(b"N("), "takes a value from the stack"),
    "a value below the MARK": (file_of(b"N(\x85"), "takes a value from the stack"),
    "TUPLE without MARK": (file_of(b"Nt"), "goes back to a MARK"),
    "a memo place of 2**31": (file_of(b"}r\xff\xff\xff\x7f"), "place 2147483647 of the memo"),
    "a memo place twice": (file_of(b"}q\x00q\x00"), "place 0 of the memo"),
    "an empty memo place": (file_of(b"h\x07"), "place 7 of the memo, which holds nothing"),
    "BINBYTES beyond the file": (file_of(b"B\xff\xff\xff\xff"), "4294967295 bytes are announced"),
    "BINBYTES8 beyond the file": (file_of(b"\x8e" + b"\xff" * 8, 4), "18446744073709551615 bytes are announced"),
    "BYTEARRAY8 beyond the file": (file_of(b"\x96" + struct.pack("<Q", 1 << 40), 5), "1099511627776 bytes"),
    "BINSTRING of negative length": (file_of(b"T\xff\xff\xff\xff", 2), "bytes are announced"),
    "a name without an end": (file_of(b"c" + b"a" * 4000), "a name without an end"),
    "a frame beyond the file": (b"\x80\x04\x95" + struct.pack("<Q", 99) + b"}.", "a frame of 99 bytes"),
    "a frame in a frame": (b"\x80\x04\x95" + struct.pack("<Q", 11) + b"\x95" + bytes(8) + b"}.", "a frame inside"),
    "an opcode over the end of a frame": (b"\x80\x04\x95" + struct.pack("<Q", 2) + b"NK\x01.", "over the end of"),
    "text that is not UTF-8": (file_of(b"X\x02\x00\x00\x00\xff\xfe"), "text that is not UTF-8"),
    "half a surrogate": (file_of(b"X\x03\x00\x00\x00\xed\xa0\x80"), "text that is not UTF-8"),
    "a call of what is no function": (file_of(text("a") + b")R"), "calls what is no function"),
    "a call without a tuple": (file_of(glob("collections", "OrderedDict") + b"]R"), "without a tuple of arguments"),
    "a state for a dict": (file_of(b"}}b"), "BUILD sets the state"),
    "a state for a function": (file_of(glob("numpy", "ndarray") + b"}b"), "BUILD sets the state"),
    "items for a list": (file_of(b"]NNs"), "sets items of what is no dict"),
    "half an item": (file_of(b"}(Nu"), "a key without a value"),
    "appending to a dict": (file_of(b"}Na"), "appends to what is no list"),
    "a key twice": (one_tensor(b"N")[:-1] + text("w") + b"Ns.", "the key 'w' is there twice"),
    "a key that is a tuple": (file_of(b"})Ns"), "a key that is neither"),
    "a key of 5000 bytes": (file_of(b"}" + text("k" * 5000) + b"Ns"), "a key that is neither"),
    "a list in itself": (file_of(b"}" + text("w") + b"]q\x00h\x00as"), "holds itself"),
    "a dict in itself": (file_of(b"}q\x00" + text("w") + b"h\x00s"), "holds itself"),
    "a function among the values": (one_tensor(glob("builtins", "eval")), "holds the function or class builtins.eval"),
    "an array without data": (
        one_tensor(glob("numpy.core.multiarray", "_reconstruct") + glob("numpy", "ndarray") + b"K\x00\x85C\x01b\x87R"),
        "left without its state",
    ),
    "nested 100 deep": (one_tensor(b"N" + b"\x85" * 100), "nested more than 32 deep"),
    "nested 390000 deep": (one_tensor(b"N" + b"\x85" * 390_000), "nested more than 32 deep"),
    "two million opcodes": (one_tensor(b"N" + b"\x85" * 2_000_000), "more than 400000 opcodes"),
    "2**30 paths to one value": (
        one_tensor(b"N" + b"".join(b"q" + bytes([n]) + b"h" + bytes([n]) + b"\x86" for n in range(30))),
        "unfolds to millions",
    ),
    "a list made into a dict over and over": (
        file_of(b"](](" + text("k") + b"Neeq\x00" + 2 * (glob("collections", "OrderedDict") + b"h\x00\x85R")),
        "calls collections.OrderedDict with arguments",
    ),
}


@pytest.mark.parametrize("idea", UNSOUND)
def test_what_is_not_sound_is_refused(idea: str, tmp_path: Path) -> None:
    data, said = UNSOUND[idea]
    started = time.process_time()
    with pytest.raises(FileError, match=said):
        open_bytes(tmp_path, data)
    assert time.process_time() - started < 30  # of this process alone: a hostile file costs seconds, not minutes


def test_the_most_opcodes_cost_a_bounded_memory(tmp_path: Path) -> None:
    bombs = {"dicts": b"}", "texts": text("")}
    if not Path("/proc/self/status").exists():
        pytest.skip("only Linux tells the peak of one process")
    code = (
        "import sys; from pathlib import Path; from converter.common.errors import FileError\n"
        "from converter.open.dispatch import open_weights\n"
        "try: open_weights(Path(sys.argv[1]))\n"
        "except FileError: print(next(l.split()[1] for l in open('/proc/self/status') if l.startswith('VmHWM')))\n"
    )
    for name, opcode in bombs.items():
        path = tmp_path / f"{name}.pdparams"
        path.write_bytes(b"\x80\x02" + opcode * 500_000)
        root = Path(__file__).parents[4]
        done = subprocess.run([sys.executable, "-c", code, path], cwd=root, capture_output=True, text=True, check=True)
        assert int(done.stdout) < 200_000, name
