"""Read `pytorch_model.bin` with torch's weights_only loader, after its pickle and its archive were checked.

This is the only module of the converter that loads torch. The tensors stay in the mapped file.
"""

from __future__ import annotations

import importlib
import os
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from converter.common.errors import FileError, Problem, SourceError, file_error
from converter.files.regular_files import HEAD_BYTES, map_file, open_file, quoted, recognise
from converter.files.tensors import DTYPES, SourceFile, SourceTensor, TensorSet, element_count
from converter.open.bounds import check_names_bounded
from converter.open.torch.torch_pickle import LEGACY_START, check_legacy, check_pickle

if TYPE_CHECKING:
    from typing_extensions import TypeAlias

    Records: TypeAlias = "Counter[tuple[int, int]]"

_ZIP_START = b"PK\x03\x04"
_MOST_PICKLE_BYTES = 64 << 20
_MOST_RECORDS = 20_000
#: Records of torch 1.6 to 2.9 next to the numbers (torch/serialization.py, caffe2/serialize/inline_container.cc).
_OWN_RECORDS = ("data.pkl", "version", "byteorder", ".format_version", ".storage_alignment", ".data/serialization_id")


@dataclass(frozen=True)
class TorchBytes:
    """The bytes of a tensor that torch has mapped, from `address` on."""

    data: memoryview
    address: int = 0

    @property
    def size(self) -> int:
        return self.data.nbytes

    @property
    def place(self) -> tuple[str, int, int]:
        return "torch", self.address, self.address + self.size

    def view(self) -> memoryview:
        return self.data

    def pieces(self) -> Iterator[memoryview]:
        yield self.data

    def raw(self) -> None:
        return None


def open_torch(path: Path) -> TensorSet:
    """The tensors of one file of torch.save, zip or the form before torch 1.6. Raises FileError, and SourceError
    where torch is not installed."""
    buffer = map_file(path)
    head, name = buffer[:HEAD_BYTES], path.name
    zipped = head.startswith(_ZIP_START)
    if not zipped and not head.startswith(LEGACY_START):
        raise file_error("E304", name, f"is {recognise(head, len(buffer)) or 'no file of torch.save'}")
    records, unused = _check_zip(path) if zipped else (None, "")
    if records is None:
        check_legacy(buffer, name)
    loaded = _load(path, zipped)
    found, others = _take_tensors(loaded, name)
    if unused:
        raise _not_by_torch(unused, name)
    if records is not None:
        _check_storages(found, records, name)
    tensors = {key: _describe(key, tensor, name) for key, tensor in found.items()}
    writer = "torch" if zipped else "torch, in its form before 1.6"
    files = (SourceFile(path, name, len(buffer)),)
    shown = ", ".join(map(_shown, others[:5]))
    odd = (f"{name}: {shown} is no tensor and was left out",) if others else ()
    not_tensors = tuple(key for key in others if isinstance(key, str) and key.isprintable())
    return TensorSet("PyTorch pickle", tensors, files, odd, writer, naming="transformers", not_tensors=not_tensors)


def _check_zip(path: Path) -> tuple[Records, str]:
    """Size and CRC of each record, and the name of one that nothing uses, or ''.

    Checks that the archive stores its records uncompressed and that its pickle asks for nothing but tensors. Raises
    FileError.
    """
    file = path.name
    try:
        with os.fdopen(open_file(path), "rb") as handle, zipfile.ZipFile(handle) as archive:
            size = os.fstat(handle.fileno()).st_size
            entries = archive.infolist()
            pickles = [entry for entry in entries if entry.filename.endswith("/data.pkl")]
            if len(pickles) != 1 or len(entries) > _MOST_RECORDS:
                raise file_error("E304", file, "is a zip archive, and not one of torch.save")
            packed = [entry.filename for entry in entries if entry.compress_type != zipfile.ZIP_STORED]
            if packed or sum(entry.file_size for entry in entries) > size:
                raise file_error("E303", file, "its records are packed or larger than the file; torch.save stores them")
            if pickles[0].file_size > _MOST_PICKLE_BYTES:
                raise file_error("E303", file, f"data.pkl has {pickles[0].file_size} bytes, which no model needs")
            named = check_pickle(archive.read(pickles[0]), f"{file}: data.pkl")
            unused = _check_records(entries, pickles[0].filename.removesuffix("data.pkl"), named, file)
            return Counter((entry.file_size, entry.CRC) for entry in entries), unused
    except FileError:
        raise
    except Exception as error:  # zipfile raises many kinds of errors for damage.
        reason = f"a damaged zip archive ({quoted(str(error), 120)}). Is the download complete?"
        raise file_error("E303", file, reason) from None


def _check_records(entries: list[zipfile.ZipInfo], prefix: str, named: set[str], file: str) -> str:
    """The name of a record of numbers that the pickle does not use, or ''. Raises FileError for records that torch.save
    does not write, and for two of one name: torch finds them by names in which case does not count, and would load
    another pickle than the one that was looked at."""
    unused = ""
    folded = Counter(entry.filename.casefold() for entry in entries)
    for entry in entries:
        name = entry.filename
        if folded[name.casefold()] > 1:
            alike = " and ".join(quoted(e.filename) for e in entries if e.filename.casefold() == name.casefold())[:400]
            raise file_error("E313", file, f"its records {alike} have one name. Which one is the model's?")
        inside = name.removeprefix(prefix) if name.startswith(prefix) else ""
        if inside not in _OWN_RECORDS and not inside.startswith("data/"):
            raise _not_by_torch(name, file)
        if inside.startswith("data/") and inside[len("data/") :] not in named:
            unused = unused or name
    if min(entry.header_offset for entry in entries):
        raise file_error("E313", file, "something lies before its first record. Save it again with torch.save")
    return unused


def _not_by_torch(record: str, file: str) -> FileError:
    text = f"its record {quoted(record, 120)} is none that torch.save writes for this table of tensors"
    return file_error("E313", file, f"{text}. Save it again with torch.save")


def _load(path: Path, zipped: bool) -> Any:
    try:
        torch: Any = importlib.import_module("torch")
    except ImportError:
        text = f"{path.name} is a file of PyTorch's, and torch is not installed here: pip install torch, or save the"
        raise SourceError(Problem("E040", f"{text} model as model.safetensors, which needs no torch")) from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if path.suffix == ".safetensors":  # torch goes by this name and would not look inside.
                with os.fdopen(open_file(path), "rb") as handle:
                    return torch.load(handle, map_location="cpu", weights_only=True)
            return torch.load(str(path), map_location="cpu", weights_only=True, mmap=zipped)
    except MemoryError:
        raise
    except Exception as error:  # whatever torch raises for damage
        reason = quoted(" ".join(str(error).split()), 200)
        raise file_error("E303", path.name, f"torch cannot load it: {reason}. Is the download complete?") from None


def _take_tensors(loaded: Any, file: str) -> tuple[dict[str, Any], list[object]]:
    """The tensors by name, and the keys of what else is there. Raises FileError."""
    if not isinstance(loaded, dict):
        raise file_error("E306", file, f"holds a {type(loaded).__name__}, expected a table of tensors")
    tensors = {key: value for key, value in loaded.items() if hasattr(value, "untyped_storage")}
    odd = [key for key in tensors if not isinstance(key, str) or not key or not key.isprintable()]
    if odd:
        raise file_error("E306", file, f"names a tensor {_shown(odd[0])}, expected a printable name")
    others = [key for key in loaded if key not in tensors]
    shown = ", ".join(map(_shown, others[:5]))
    if not tensors:
        raise file_error("E306", file, f"holds no tensors but {shown or 'nothing'}. Save the model's state dict alone")
    check_names_bounded(tensors, file)
    return tensors, others


def _shown(key: object) -> str:
    """A key of the table. Python refuses to write numbers of thousands of digits."""
    if isinstance(key, str) or (isinstance(key, int) and key.bit_length() <= 64):
        return quoted(str(key), 120)
    return f"a {type(key).__name__}"


def _check_storages(tensors: dict[str, Any], records: Records, file: str) -> None:
    """Compare the checksum of each storage with the archive's: torch takes the place of a record from the pickle and
    the local headers."""
    import ctypes

    seen: dict[tuple[int, int], bool] = {}
    for name, tensor in tensors.items():
        storage = tensor.untyped_storage()
        place = (storage.data_ptr(), storage.nbytes())
        if place not in seen:
            data = (ctypes.c_char * place[1]).from_address(place[0]) if place[1] else b""
            seen[place] = (place[1], zlib.crc32(data)) in records
        if not seen[place]:
            raise file_error("E305", file, f"{quoted(name, 200)}: its bytes do not have the checksum in the archive")


def _describe(name: str, tensor: Any, file: str) -> SourceTensor:
    """Facts about a tensor. Raises FileError for one that is not dense, or of an unsupported dtype."""
    dtype, shape = str(tensor.dtype).replace("torch.", "", 1), tuple(tensor.shape)
    if dtype not in DTYPES or str(tensor.layout) != "torch.strided" or tensor.is_quantized:
        kind = f"{dtype}, {tensor.layout}"
        raise file_error("E305", file, f"{quoted(name, 200)} is {kind}, which is not supported")
    fortran = not tensor.is_contiguous()
    dense = tensor.detach().permute(*reversed(range(len(shape)))) if fortran else tensor.detach()
    needed = element_count(shape) * DTYPES[dtype][1]
    if not dense.is_contiguous() or needed > tensor.untyped_storage().nbytes():
        raise file_error("E305", file, f"{quoted(name, 200)}: its strides leave gaps or use a value twice")
    torch: Any = importlib.import_module("torch")
    raw = dense.reshape(-1).view(torch.uint8).numpy() if needed else None
    run = TorchBytes(
        memoryview(b"") if raw is None else memoryview(raw).toreadonly(), tensor.data_ptr() if needed else 0
    )
    return SourceTensor(name, shape, dtype, file, (run,), fortran)
