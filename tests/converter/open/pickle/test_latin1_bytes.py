"""Bytes that lie in a file as text: counted and decoded in pieces, whatever the pieces cut."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from converter.common.errors import FileError
from converter.files.regular_files import map_file
from converter.open.pickle import latin1_bytes as latin1_text
from converter.open.pickle.latin1_bytes import Latin1Bytes, count_latin1
from tests.support.pickles import mapped

CODED = bytes(range(256)).decode("latin1").encode()


@pytest.mark.parametrize("size", range(1, 12))
def test_characters_cut_by_the_pieces(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latin1_text, "_CHECK_BYTES", size)
    monkeypatch.setattr(latin1_text, "_DECODE_BYTES", size + 1)
    buffer = mapped(b"\x80" + CODED + b"\xff")
    assert count_latin1(buffer, 1, len(CODED)) == 256
    assert b"".join(Latin1Bytes(buffer, 1, len(CODED), 256).pieces()) == bytes(range(256))


@pytest.mark.parametrize("size", [1, 2, 3, 64])
@pytest.mark.parametrize(
    "wrong",
    [
        b"\x80",
        b"\xc3",
        b"a\xc3",
        b"\xc3a",
        b"\xc2\x80\x80",
        b"\xc3\xc3\xa9",
        b"\xc0\xaf",
        b"\xc4\x80",
        b"\xff",
        "ł".encode(),
    ],
)
def test_what_is_no_such_text(wrong: bytes, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latin1_text, "_CHECK_BYTES", size)
    for before in (b"", b"a", b"\xc3\xa9", b"\xc3\xa9a"):
        buffer = mapped(before + wrong)
        assert count_latin1(buffer, 0, len(before + wrong)) is None


@pytest.mark.parametrize("changed", [b"a" * len(CODED), CODED[:128] + b"\xc3\x80" * 128, CODED[:-2] + b"ab"])
def test_text_that_was_changed_after_it_was_counted(changed: bytes, tmp_path: Path) -> None:
    path = tmp_path / "w.pdparams"
    path.write_bytes(CODED)
    run = Latin1Bytes(map_file(path), 0, len(CODED), 256)
    assert b"".join(run.pieces()) == bytes(range(256))
    with open(path, "r+b") as file:
        file.write(changed)
    if len(changed.decode()) == 256:
        assert b"".join(run.pieces()) == changed.decode().encode("latin1")
        return
    with pytest.raises(FileError, match=r"E303.*w\.pdparams has other bytes.*Is something writing it"):
        list(run.pieces())


def test_every_byte_in_random_order() -> None:
    data = np.random.default_rng(0).bytes(300_000)
    text = data.decode("latin1").encode()
    run = Latin1Bytes(mapped(text), 0, len(text), len(data))
    assert count_latin1(run.buffer, 0, len(text)) == len(data)
    assert b"".join(run.pieces()) == data


def test_a_large_tensor_of_protocol_2_takes_little_memory(tmp_path: Path) -> None:
    """120 MB of numbers, 180 MB of text; the peak is of memory that no file backs."""
    code = """
import pickle, sys, threading, time
from pathlib import Path
import numpy as np
def anonymous():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("RssAnon"))
def watch():
    while running: peak[0] = max(peak[0], anonymous()); time.sleep(0.002)
from converter.open.dispatch import open_weights
before, peak, running = anonymous(), [0], True
watcher = threading.Thread(target=watch); watcher.start()
tensor = open_weights(Path(sys.argv[1])).tensors["w"]
total = float(tensor.read()[::1000].sum(dtype="f8"))
running = False; watcher.join()
print(peak[0] - before, total)
"""
    if not Path("/proc/self/status").exists():
        pytest.skip("only Linux tells which memory no file backs")
    path = tmp_path / "large.pdparams"
    numbers = np.random.default_rng(0).standard_normal((30_000, 1000), dtype="f4")
    maker = (
        "import pickle, sys, numpy as np; n = np.random.default_rng(0).standard_normal((30_000, 1000), dtype='f4')\n"
    )
    subprocess.run(
        [sys.executable, "-c", maker + "pickle.dump({'w': n}, open(sys.argv[1], 'wb'), 2)", path], check=True
    )
    root = Path(__file__).parents[4]
    done = subprocess.run([sys.executable, "-c", code, path], cwd=root, capture_output=True, text=True, check=True)
    kilobytes, total = done.stdout.split()
    assert float(total) == float(numbers[::1000].sum(dtype="f8"))
    assert int(kilobytes) < 60_000
