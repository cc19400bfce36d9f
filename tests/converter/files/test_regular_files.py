"""Only regular files are opened, and without waiting for anything."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from converter.common.errors import FileError
from converter.files.regular_files import is_file, map_file, read_file, unsafe_name
from converter.open.dispatch import open_weights
from tests.support.pickles import numbered, open_pickled, same

NAME = "model_state.pdparams"


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_folder(path: Path) -> None:
    path.mkdir()


def make_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(path.parent)
        server.bind(path.name)


def make_dangling(path: Path) -> None:
    path.symlink_to("gone")


def make_loop(path: Path) -> None:
    path.symlink_to(path.name)


MAKERS = [make_fifo, make_folder, make_device, make_socket, make_dangling, make_loop]


@pytest.mark.parametrize("make", MAKERS)
def test_what_is_no_regular_file_is_refused_at_once(
    make: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make(tmp_path / NAME)
    code = "import sys, pathlib, converter.open.dispatch as w; w.open_weights(pathlib.Path(sys.argv[1]))"
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=20)
    assert "error[E310]: model_state.pdparams" in done.stderr
    for refuse in (is_file, map_file):
        with pytest.raises(FileError, match="E310"):
            refuse(tmp_path / NAME)


def test_a_shard_that_is_a_fifo(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.pdparams")
    (tmp_path / "model_state.pdparams.index.json").write_text('{"weight_map": {"a": "x.pdparams"}}')
    with pytest.raises(FileError, match="E310.*x.pdparams is a FIFO, expected a regular file. It was not opened"):
        open_weights(tmp_path)


def test_a_file_exchanged_between_the_look_and_the_opening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, regular = tmp_path / NAME, tmp_path / "regular"
    regular.write_bytes(b"x")
    os.mkfifo(path)
    looked = os.stat(regular)
    monkeypatch.setattr(os, "stat", lambda *_, **__: looked)
    with pytest.raises(FileError, match="is a FIFO"):
        map_file(path)


def test_nothing_and_a_file(tmp_path: Path) -> None:
    assert not is_file(tmp_path / "x") and not is_file(tmp_path / "x" / "y")
    (tmp_path / "x").write_bytes(b"abc")
    assert is_file(tmp_path / "x") and not is_file(tmp_path / "x" / "y")
    assert read_file(tmp_path / "x", 3) == b"abc"
    with pytest.raises(FileError, match="E303.*larger than"):
        read_file(tmp_path / "x", 2)


def test_names_of_any_kind_in_the_path(tmp_path: Path) -> None:
    folder = tmp_path / "a b'é\n中"
    folder.mkdir()
    assert same(open_pickled(folder, {"w": numbered(2)}), {"w": numbered(2)})


@pytest.mark.parametrize("name", ["model.pdparams", "a b.pdparams", "é.safetensors", "..x", "-x"])
def test_plain_names_are_safe(name: str) -> None:
    assert unsafe_name(name) is None
