"""A source that is cut while it is copied: an error line, and nothing left; the process is not killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from converter.common.errors import FileError
from converter.files.mapped_file import MappedFile
from converter.files.regular_files import map_file
from tests.support.checkpoints import make_config, make_state, write_folder

RUN = """
import os, sys
from pathlib import Path
from converter import convert
from converter.common.errors import FileError
cut = []
def progress(event):
    if event.stage == "writing" and not cut:
        for path in Path(sys.argv[1]).rglob("*"):
            if path.suffix in (".pdparams", ".safetensors"):
                os.truncate(path, 100)
                cut.append(path)
try:
    convert(sys.argv[1], sys.argv[2], progress=progress)
except FileError as error:
    assert cut
    print(error)
"""


@pytest.mark.parametrize("kind", ["protocol 4", "protocol 2", "slices", "safetensors"])
def test_a_source_that_is_cut_while_it_is_copied_is_an_error_and_leaves_nothing(kind: str, tmp_path: Path) -> None:
    sizes = {"vocab_size": 60_000, "hidden_size": 64}
    state, config = make_state(**sizes), make_config(**sizes)
    if kind == "safetensors":
        from safetensors.numpy import save_file

        source = write_folder(tmp_path / "in", config=config)
        (source / "model_state.pdparams").unlink()
        save_file(state, source / "model.safetensors", {"format": "np"})
    elif kind == "slices":
        name, whole = next(iter(state.items()))
        parts = np.array_split(state.pop(name).reshape(-1), 3)
        slices = {f"{name}@@.{number}": part for number, part in enumerate(parts)}
        table = {name: {"OriginShape": whole.shape, "slices": list(slices)}}
        source = write_folder(tmp_path / "in", {**state, **slices, "UnpackBigParamInfor@@": table}, config, protocol=3)
    else:
        source = write_folder(tmp_path / "in", state, config, protocol=int(kind[-1]))
    command = [sys.executable, "-c", RUN, str(source), str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:] or f"ended with {done.returncode}"
    assert "error[E303]" in done.stdout and "Is something writing it?" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_mapped_file_gives_its_descriptor_back(tmp_path: Path) -> None:
    import os

    (tmp_path / "file").write_bytes(b"x" * 10)
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None
    mapped = map_file(tmp_path / "file")
    assert isinstance(mapped, MappedFile) and mapped[:] == b"x" * 10
    if before is not None:
        assert len(os.listdir("/proc/self/fd")) == before + 2  # the map's own and the one that is read by
        del mapped
        assert len(os.listdir("/proc/self/fd")) == before


def test_a_piece_beyond_the_end_of_a_file_that_was_cut_is_an_error(tmp_path: Path) -> None:
    from converter.files.tensors import MappedBytes

    path = tmp_path / "w.bin"
    path.write_bytes(bytes(100_000))
    run = MappedBytes(map_file(path), 50_000, 50_000)
    assert b"".join(run.pieces()) == bytes(50_000)
    path.write_bytes(bytes(60_000))
    with pytest.raises(FileError, match=r"E303.*w\.bin has 60000 bytes, and had 100000"):
        b"".join(run.pieces())
