"""Archives of torch.save: what torch loads is what was looked at, and no tuple in their pickle takes for ever."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from converter.common.errors import FileError
from converter.open.torch.torch_file import open_torch

torch = pytest.importorskip("torch")
STATE = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.arange(4)}


def records_of(state: object) -> dict[str, bytes]:
    file = io.BytesIO()
    torch.save(state, file)
    with zipfile.ZipFile(file) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist()}


def write(folder: Path, records: list[tuple[str, bytes]], before: bytes = b"") -> Path:
    path = folder / "pytorch_model.bin"
    path.write_bytes(before)
    with zipfile.ZipFile(path, "a" if before else "w") as archive:
        for name, data in records:
            archive.writestr(name, data)
    return path


def test_the_records_of_torch_save_are_all_accounted_for(tmp_path: Path) -> None:
    assert list(open_torch(write(tmp_path, list(records_of(STATE).items()))).tensors) == ["a", "b"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["archive/DATA.PKL", "archive/data.pkl", "archive/Data/0", "ARCHIVE/data.pkl"])
@pytest.mark.parametrize("first", [True, False])
def test_two_records_whose_names_differ_in_case_alone_are_refused(tmp_path: Path, name: str, first: bool) -> None:
    more = [(name, b"\x80\x02ccollections\nCounter\n.")]
    records = list(records_of(STATE).items())
    path = write(tmp_path, more + records if first else records + more)
    with pytest.raises(FileError, match="E313.*have one name|E304.*not one of torch.save"):
        open_torch(path)


@pytest.mark.parametrize("name", ["archive/data/9", "archive/code/a.py", "archive/constants.pkl", "other/version", "x"])
def test_a_record_that_the_pickle_does_not_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileError, match="E313.*none that torch.save writes"):
        open_torch(write(tmp_path, [*records_of(STATE).items(), (name, b"payload")]))


def test_what_lies_before_the_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="E313.*before its first record"):
        open_torch(write(tmp_path, list(records_of(STATE).items()), before=b"PK\x03\x04" + bytes(60)))


@pytest.mark.parametrize(
    ("pickle", "said"),
    [
        (b"K\x01" + b"".join(b"q%ch%c\x86" % (n, n) for n in range(60)) + b"K\x01s", "E302.*nests tuples"),
        (b"(" + b"K\x01" * 20_000 + b"tK\x01s", "E302.*nests tuples"),
        (b"h\x05K\x01s", "E303.*place 5 of the memo"),
        (b"\x86K\x01s", "E303.*from the stack"),
        (b"tK\x01s", "E303.*MARK"),
    ],
    ids=["nested", "long", "memo", "stack", "mark"],
)
def test_tuples_that_unfold_without_bound_are_refused_before_torch_hashes_them(
    tmp_path: Path, pickle: bytes, said: str
) -> None:
    path = write(tmp_path, [("archive/data.pkl", b"\x80\x02}" + pickle + b"."), ("archive/version", b"3\n")])
    with pytest.raises(FileError, match=said):
        open_torch(path)


def test_a_key_that_is_no_text_is_named_by_its_kind(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="E306.*holds no tensors but a tuple, '5'"):
        open_torch(write(tmp_path, list(records_of({(1, 2): 1, 5: 1}).items())))
