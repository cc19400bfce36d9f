"""`pytorch_model.bin`: torch's own files load equal; nothing that wants to run, lies or is cut reaches torch."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converter.common.errors import FileError, SourceError
from converter.open.dispatch import open_weights
from converter.open.torch.torch_file import open_torch

torch = pytest.importorskip("torch")
NAME = "pytorch_model.bin"
STATE: dict[str, Any] = OrderedDict(
    matrix=torch.arange(6.0).reshape(2, 3),
    turned=torch.arange(6.0).reshape(2, 3).t(),
    half=torch.arange(4.0).to(torch.bfloat16),
    scalar=torch.tensor(7),
    learned=torch.nn.Parameter(torch.arange(5, dtype=torch.float16)),
)


def save(folder: Path, state: Any = STATE, zipped: bool = True) -> Path:
    torch.save(state, folder / NAME, _use_new_zipfile_serialization=zipped)
    return folder / NAME


def equals(path: Path, state: Any = STATE) -> bool:
    found = open_torch(path).tensors
    if list(found) != list(state):
        return False
    for name, tensor in state.items():
        bits = tensor.detach().contiguous()
        expected = bits.view(torch.int16).numpy().view("<u2") if tensor.dtype == torch.bfloat16 else bits.numpy()
        read = found[name].read()
        if (read.shape, read.dtype) != (expected.shape, expected.dtype) or not np.array_equal(read, expected):
            return False
    return True


@pytest.mark.parametrize("zipped", [True, False])
def test_both_forms_of_torch_save_load_equal(tmp_path: Path, zipped: bool) -> None:
    path = save(tmp_path, zipped=zipped)
    assert equals(path)
    opened = open_torch(path)
    assert opened.naming == "transformers" and opened.warnings == ()
    assert opened.tensors["half"].dtype == "bfloat16" and opened.tensors["turned"].fortran


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch executed",)


def inst_pickle() -> bytes:
    return b"\x80\x02(X\x10\x00\x00\x00touch executed  iposix\nsystem\n."


@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_that_wants_to_run_something_is_refused_and_says_what(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zipped: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    path = save(tmp_path, {"a": torch.zeros(2), "b": Evil()}, zipped)
    with pytest.raises(FileError, match=r"E301.*byte \d+.*asks to run 'posix\.system'. Not loaded"):
        open_torch(path)
    assert os.listdir(tmp_path) == [NAME]


def replace_pickle(path: Path, data: bytes) -> Path:
    """The same archive with another data.pkl."""
    with zipfile.ZipFile(path) as archive:
        records = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, record in records.items():
            archive.writestr(name, data if name.endswith("data.pkl") else record)
    return path


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (inst_pickle(), r"E301.*'posix\.system'"),
        (b"\x80\x04\x8c\x05posix\x8c\x06system\x93.", "E302.*SHORT_BINUNICODE"),
        (b"\x80\x02cposix\nsystem\n.", r"E301.*'posix\.system'"),
        (b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n.", "E301.*numpy"),
        (b"\x80\x02i\xff\xfe\nsystem\n.", "E302.*INST"),
        (b"\x80\x02iposix", "E302.*INST"),
        (b"\x80\x02\x82\x01.", "E302.*EXT1"),
        (b"\x80\x02P1\n.", "E302.*PERSID"),
        (b"\x80\x02}.more", "E303.*4 bytes follow its STOP"),
        (b"\x80\x02}", "E303.*ends before its STOP"),
        (b"\x80\x02X\xff\xff\xff\x7fab.", "E303.*2147483647 bytes are announced"),
        (b"\x80\x02\xf5.", "E302.*no opcode"),
        (b"\x80\x02K\x05.", "E306.*holds a int"),
        (b"\x80\x02}.", "E306.*no tensors but nothing"),
    ],
)
def test_a_pickle_that_torch_would_not_write_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    path = replace_pickle(save(tmp_path), data)
    with pytest.raises(FileError, match=said):
        open_torch(path)


def test_a_size_that_lies_is_refused(tmp_path: Path) -> None:
    """torch maps as many bytes as the pickle says, whatever the record has."""
    path = save(tmp_path, {"a": torch.arange(3.0), "b": torch.arange(200.0)})
    with zipfile.ZipFile(path) as archive:
        data = archive.read("pytorch_model/data.pkl")
    lie = data.replace(b"q\x07K\x03t", b"q\x07K\x09t").replace(b"K\x00K\x03\x85", b"K\x00K\x09\x85")
    assert lie != data
    with pytest.raises(FileError, match="E30"):
        open_torch(replace_pickle(path, lie))


@pytest.mark.parametrize("zipped", [True, False])
def test_a_cut_at_any_byte_is_refused(tmp_path: Path, zipped: bool) -> None:
    whole = save(tmp_path, {"a": torch.arange(6.0).reshape(2, 3)}, zipped).read_bytes()
    for length in [*range(0, len(whole), 7), len(whole) - 1]:
        (tmp_path / NAME).write_bytes(whole[:length])
        with pytest.raises(FileError):
            open_torch(tmp_path / NAME)


def test_a_flipped_bit_is_refused_or_changes_nothing(tmp_path: Path) -> None:
    """In a zip even one in the numbers shows: every record has its sum."""
    state = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.arange(4.0)}
    whole = save(tmp_path, state).read_bytes()
    refused = 0
    for place in range(0, len(whole), 3):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << place % 8
        (tmp_path / NAME).write_bytes(flipped)
        try:
            assert equals(tmp_path / NAME, state), place
        except FileError:
            refused += 1
    assert refused > 100


def test_packed_records_and_other_archives_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path)
    with zipfile.ZipFile(path) as archive:
        records = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, record in records.items():
            archive.writestr(name, record)
    with pytest.raises(FileError, match="E303.*packed"):
        open_torch(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("thesis.txt", "years")
    with pytest.raises(FileError, match="E304.*not one of torch.save"):
        open_torch(path)
    path.write_bytes(pickle.dumps({"a": np.zeros(2)}, 4))
    with pytest.raises(FileError, match="E304.*no file of torch.save"):
        open_torch(path)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"model": {"a": torch.zeros(2)}, "epoch": 3}, "E306.*'model', 'epoch'. Save the model's state dict alone"),
        ({5: torch.zeros(2)}, "E306.*names a tensor '5'"),
        ({"a": torch.zeros(2).to_sparse()}, "E301|E305"),
        ({"a": torch.zeros(2, dtype=torch.complex64)}, "E301.*Complex"),
        ({"a": torch.zeros(1).expand(1000, 1000)}, "E305.*use a value twice"),
        ({"a": torch.zeros(8)[::2]}, "E305.*leave gaps"),
    ],
)
def test_what_is_no_plain_table_of_dense_tensors_is_refused(tmp_path: Path, state: Any, said: str) -> None:
    with pytest.raises(FileError, match=said):
        open_torch(save(tmp_path, state))


def test_what_is_no_tensor_beside_tensors_is_left_out_with_a_warning(tmp_path: Path) -> None:
    opened = open_torch(save(tmp_path, {"a": torch.zeros(2), "epoch": 3}))
    assert list(opened.tensors) == ["a"] and "'epoch' is no tensor" in opened.warnings[0]


def test_without_torch_the_way_out_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(SourceError, match=r"E040.*torch is not installed here.*model\.safetensors"):
        open_torch(path)


def test_large_tensors_stay_in_the_file(tmp_path: Path) -> None:
    """256 MB of numbers: what the process holds of its own grows by far less."""
    path = save(tmp_path, {"a": torch.ones(64 << 20)})
    script = (
        "import sys, torch\nfrom pathlib import Path\nfrom converter.open.torch.torch_file import open_torch\n"
        "def own(): return int([line for line in open('/proc/self/status') if 'RssAnon' in line][0].split()[1])\n"
        "before = own()\ntensor = open_torch(Path(sys.argv[1])).tensors['a'].read()\n"
        "assert float(tensor[::4096].sum()) == 16384\nsys.exit(own() - before > 100_000)\n"
    )
    assert subprocess.run([sys.executable, "-c", script, str(path)], check=False).returncode == 0


def test_neighbours_are_not_taken_for_a_model(tmp_path: Path) -> None:
    (tmp_path / "training_args.bin").write_bytes(io.BytesIO(b"PK\x03\x04").read())
    with pytest.raises(SourceError, match="E004"):
        open_weights(tmp_path / "training_args.bin")
