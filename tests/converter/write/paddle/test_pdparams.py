"""model_state.pdparams, written opcode by opcode: what Python's own unpickler and this tool's reader make of it."""

from __future__ import annotations

import pickle
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converter.common.errors import OutputError
from converter.files.tensors import DTYPES, SourceTensor
from converter.open.pickle.pdparams import NAME_TABLE, open_pdparams
from converter.open.safetensors_file import open_safetensors
from converter.plan.plan import PlannedTensor
from converter.write.paddle import pdparams
from converter.write.paddle.pdparams import write_pdparams
from mappings import OPERATIONS, load_family


def planned(folder: Path, **arrays: tuple[np.ndarray, str, str]) -> list[PlannedTensor]:
    """name -> array, dtype, operation; the arrays lie in a safetensors file, as OUTPUT's do."""
    import json
    import struct

    header: dict[str, Any] = {"__metadata__": {"format": "np"}}
    data = b""
    for name, (array, dtype, _) in arrays.items():
        end = len(data) + array.nbytes
        header[name] = {"dtype": DTYPES[dtype][2], "shape": list(array.shape), "data_offsets": [len(data), end]}
        data += array.tobytes()
    text = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
    found = open_safetensors(folder / "model.safetensors", load_family("ernie_m")).tensors
    return [one(found[name], name, op) for name, (_, _, op) in arrays.items()]


def one(tensor: SourceTensor, name: str, op: str) -> PlannedTensor:
    return PlannedTensor(tensor, name, op, OPERATIONS[op].target_shape(tensor.shape), tensor.dtype)


def test_python_unpickles_what_was_written(tmp_path: Path) -> None:
    arrays = {
        "matrix.weight": (np.arange(12, dtype="<f4").reshape(3, 4), "float32", "transpose"),
        "kept.weight": (np.arange(6, dtype="<f8").reshape(2, 3), "float64", "keep"),
        "half": (np.array([1.5, -2], "<f2"), "float16", "keep"),
        "brain": (np.array([0x3F80, 0xC000], "<u2"), "bfloat16", "keep"),
        "one": (np.array(7, "<f4"), "float32", "keep"),
        "none": (np.zeros((0, 3), "<f4"), "float32", "keep"),
        "n" * 300: (np.zeros(300, "<f4"), "float32", "keep"),
    }
    written, odd = write_pdparams(tmp_path / "m.pdparams", planned(tmp_path, **arrays), lambda _: None)
    # Its own bytes, written above: no code of a stranger's runs.
    found = pickle.loads((tmp_path / "m.pdparams").read_bytes())
    assert found.pop(NAME_TABLE) == {name: name for name in arrays}
    assert list(found) == list(arrays) and odd == 0
    for name, (array, _, op) in arrays.items():
        expected = array.T if op == "transpose" else array
        assert found[name].dtype == array.dtype and found[name].flags.c_contiguous
        assert np.array_equal(found[name], expected) and found[name].shape == expected.shape
    assert [each.planned.target for each in written] == list(arrays)


def test_the_reader_of_convert_reads_it_as_it_was(tmp_path: Path) -> None:
    arrays = {"brain": (np.arange(40000, dtype="<u2").reshape(8, 5000), "bfloat16", "transpose")}
    write_pdparams(tmp_path / "m.pdparams", planned(tmp_path, **arrays), lambda _: None)
    tensors = open_pdparams(tmp_path / "m.pdparams")
    tensor = tensors.tensors["brain"]
    assert (tensor.shape, tensor.dtype, tensors.warnings) == ((5000, 8), "bfloat16", ())
    assert np.array_equal(tensor.read(), arrays["brain"][0].T)


def test_a_tensor_of_more_than_four_gigabytes_has_the_longer_opcode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdparams, "_MOST_SHORT", 16)
    arrays = {"w": (np.arange(4, dtype="<f4"), "float32", "keep"), "b": (np.ones(2, "<f4"), "float32", "keep")}
    write_pdparams(tmp_path / "m.pdparams", planned(tmp_path, **arrays), lambda _: None)
    data = (tmp_path / "m.pdparams").read_bytes()
    assert data.count(pickle.BINBYTES8 + (16).to_bytes(8, "little")) == 1
    assert np.array_equal(pickle.loads(data)["w"], np.arange(4))


def test_values_that_are_not_finite_are_counted_and_written(tmp_path: Path) -> None:
    arrays = {
        "w": (np.array([1, np.nan, np.inf], "<f4"), "float32", "keep"),
        "b": (np.array([0x7F80, 0], "<u2"), "bfloat16", "keep"),
    }
    _, odd = write_pdparams(tmp_path / "m.pdparams", planned(tmp_path, **arrays), lambda _: None)
    assert odd == 3
    assert np.isnan(pickle.loads((tmp_path / "m.pdparams").read_bytes())["w"][1])


def test_memory_stays_at_a_few_blocks(tmp_path: Path) -> None:
    array = np.zeros((64, 1 << 18), "<f4")  # 64 MB
    tensors = planned(tmp_path, w=(array, "float32", "keep"))
    tracemalloc.start()
    write_pdparams(tmp_path / "m.pdparams", tensors, lambda _: None)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40 << 20
    assert (tmp_path / "m.pdparams").stat().st_size > array.nbytes


def test_what_does_not_read_back_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = {"w": (np.arange(4, dtype="<f4"), "float32", "keep")}
    tensors = planned(tmp_path, **arrays)

    def broken(path: Path) -> Any:
        data = bytearray(path.read_bytes())
        data[data.index(np.arange(4, dtype="<f4").tobytes())] ^= 1
        path.write_bytes(data)
        return open_pdparams(path)

    monkeypatch.setattr(pdparams, "open_pdparams", broken)
    with pytest.raises(OutputError, match=r"E504.*w reads back changed"):
        write_pdparams(tmp_path / "m.pdparams", tensors, lambda _: None)
