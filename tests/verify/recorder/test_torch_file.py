"""torch's own files through the recorder's reader: what torch reads, bit for bit, and nothing that is not a tensor."""

from __future__ import annotations

import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.recorder.errors import Refused
from verify.recorder.sources.torch_file import read_torch, rebuild_tensor

torch = pytest.importorskip("torch")
KINDS = ("float32", "float64", "float16", "int64", "int32", "int16", "int8", "uint8", "bool")


def save(path: Path, state: Any, **options: Any) -> str:
    torch.save(state, path, **options)
    return str(path)


def as_numpy(tensor: Any) -> np.ndarray:
    plain = tensor.detach().contiguous()
    return (plain.view(torch.int16).numpy().view(np.uint16) if plain.dtype == torch.bfloat16 else plain.numpy()).copy()


def test_tensors_of_every_kind_and_layout(tmp_path: Path) -> None:
    matrix = torch.arange(12.0).reshape(3, 4)
    state = OrderedDict((kind, torch.tensor([[1, 0, 3]]).to(getattr(torch, kind))) for kind in KINDS)
    state.update(half=torch.tensor([1.5, -2.25]).bfloat16(), turned=matrix.t(), part=matrix[1:, ::2], all=matrix)
    state.update(single=torch.tensor(7.0), empty=torch.zeros(0, 3), parameter=torch.nn.Parameter(matrix[0] + 1))
    state._metadata = {"": {"version": 1}}  # type: ignore[attr-defined]  # as a state dict has it
    found = read_torch(save(tmp_path / "a.bin", state))
    assert found.keys() == state.keys()
    for name, tensor in state.items():
        expected = as_numpy(tensor)
        assert found[name].dtype == expected.dtype and found[name].shape == expected.shape, name
        assert found[name].tobytes() == expected.tobytes(), name


def test_what_is_no_tensor_is_left_out(tmp_path: Path) -> None:
    state = {"a": torch.ones(2), "step": 3, "args": {"b": torch.ones(2)}}
    assert list(read_torch(save(tmp_path / "a.bin", state))) == ["a"]


def test_a_file_of_another_order_of_bytes(tmp_path: Path) -> None:
    """As a machine writes it that puts the highest byte first."""
    path, big = save(tmp_path / "a.bin", {"a": torch.tensor([1.0, -3.5])}), tmp_path / "big.bin"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(big, "w") as target:
        for entry in source.infolist():
            data = source.read(entry)
            if entry.filename.endswith("byteorder"):
                data = b"big"
            elif "/data/" in entry.filename:
                data = np.frombuffer(data, "<f4").astype(">f4").tobytes()
            target.writestr(entry.filename, data)
    assert read_torch(str(big))["a"].tolist() == [1.0, -3.5]


def test_the_form_before_1_6_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = save(tmp_path / "a.bin", {"a": torch.ones(2)}, _use_new_zipfile_serialization=False)
    with pytest.raises(
        Refused, match=r"a\.bin is in the form of torch before 1\.6.*Save the model again as model\.safe"
    ):
        read_torch(path)


class Runs:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.marker),)


def test_what_would_run_is_refused_by_its_name(tmp_path: Path) -> None:
    path = save(tmp_path / "a.bin", {"a": torch.ones(2), "b": Runs(tmp_path / "ran")})
    with pytest.raises(Refused, match=r"a\.bin: its pickle asks for (posix|nt)\.mkdir.*Not loaded"):
        read_torch(path)
    assert not (tmp_path / "ran").exists()
    for state in ({"a": torch.ones(2).to_sparse()}, {"a": torch.float32}, torch.nn.Linear(1, 1)):
        with pytest.raises(Refused, match=r"its pickle asks for (torch|__builtin__|builtins)\."):
            read_torch(save(tmp_path / "b.bin", state))


def rewrite(path: str, change: Any, packed: int = zipfile.ZIP_STORED) -> str:
    other = path + ".changed.bin"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(other, "w", packed) as target:
        for entry in source.infolist():
            data = change(entry.filename, source.read(entry))
            if data is not None:
                target.writestr(entry.filename, data)
    return other


@pytest.mark.parametrize(
    ("change", "packed", "told"),
    [
        (lambda name, data: data, zipfile.ZIP_DEFLATED, "record 0 is packed"),
        (
            lambda name, data: data[:-4] if "/data/" in name else data,
            0,
            "record 0 has 5 elements, its pickle has 6",
        ),
        (lambda name, data: None if "/data/" in name else data, 0, "damaged.*no item named"),
        (lambda name, data: None if name.endswith(".pkl") else data, 0, "0 data.pkl"),
        (lambda name, data: data[:-9] if name.endswith(".pkl") else data, 0, "damaged"),
        (lambda name, data: pickle.dumps([1]) if name.endswith(".pkl") else data, 0, "holds a list"),
        (
            lambda name, data: pickle.dumps(pickle.loads) if name.endswith(".pkl") else data,
            0,
            r"asks for _pickle\.loads",
        ),
    ],
)
def test_a_damaged_archive_is_refused(tmp_path: Path, change: Any, packed: int, told: str) -> None:
    path = save(tmp_path / "a.bin", {"a": torch.arange(6.0)})
    with pytest.raises(Refused, match=told):
        read_torch(rewrite(path, change, packed))


@pytest.mark.parametrize(
    ("offset", "size", "stride"),
    [
        (1, [2, 3], [3, 1]),
        (0, [2], [6]),
        (0, [-1], [1]),
        (0, [2], [-1]),
        (-1, [2], [1]),
        (0, [7], [0]),
        (0, [2], [1, 1]),
        (0, [2**62, 3], [1, 1]),
        (0, [2**32, 2**32], [0, 0]),
    ],
)
def test_a_tensor_outside_its_storage_is_refused(offset: int, size: list[int], stride: list[int]) -> None:
    with pytest.raises(Refused, match="does not lie in its 6 elements"):
        rebuild_tensor(np.arange(6.0), offset, size, stride, False, OrderedDict())


def test_a_tensor_in_its_storage() -> None:
    assert rebuild_tensor(np.arange(6.0), 1, (2, 2), (1, 2)).tolist() == [[1.0, 3.0], [2.0, 4.0]]
    assert rebuild_tensor(np.arange(6.0), 5, (), ()).tolist() == 5.0
    assert rebuild_tensor(np.arange(0.0), 0, (0, 4), (4, 1)).shape == (0, 4)


@given(data=st.data())
def test_a_flipped_byte_is_refused_or_changes_nothing_unseen(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Never another error, and never other numbers: the sums of the archive see them."""
    folder = tmp_path_factory.mktemp("flip")
    values = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(3)}
    raw = bytearray(Path(save(folder / "a.bin", values)).read_bytes())
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    (folder / "b.bin").write_bytes(raw)
    try:
        found = read_torch(str(folder / "b.bin"))
    except Refused:
        return
    assert {name: array.tolist() for name, array in found.items()} == {
        name: tensor.tolist() for name, tensor in values.items()
    }
