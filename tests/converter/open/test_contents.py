"""A file is what its content is, whatever it is called; what is not recognised is named for what it looks like."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from converter.common.errors import FileError, SourceError
from converter.open.dispatch import open_weights
from tests.support.checkpoints import make_state

STATE = make_state()
PICKLE = pickle.dumps(STATE, 4)
ONNX = b"\x08\x08\x12\x07pytorch\x1a\x052.1.0:\x10"


def _safetensors(folder: Path) -> bytes:
    save_file(STATE, folder / "made")
    data = (folder / "made").read_bytes()
    (folder / "made").unlink()
    return data


def _torch(zipped: bool = True) -> bytes:
    file = io.BytesIO()
    tensors = {name: torch.from_numpy(array) for name, array in STATE.items()}
    torch.save(tensors, file, _use_new_zipfile_serialization=zipped)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("params", "pickle"),
        ("__params__", "pickle"),
        ("weights.bin", "pickle"),
        ("model.safetensors", "pickle"),
        ("best", "pickle"),
        ("model_state.pdparams", "safetensors"),
        ("model", "safetensors"),
        ("weights.bin", "safetensors"),
        ("model_state.pdparams", "torch"),
        ("model.safetensors", "torch"),
        ("best.pt", "torch"),
        ("best.pth", "torch"),
        ("checkpoint.ckpt", "torch"),
        ("best.pt", "torch before 1.6"),
    ],
)
def test_the_content_decides_and_a_warning_tells_what_it_was_taken_for(name: str, kind: str, tmp_path: Path) -> None:
    made = {
        "pickle": lambda: PICKLE,
        "safetensors": lambda: _safetensors(tmp_path),
        "torch": _torch,
        "torch before 1.6": lambda: _torch(zipped=False),
    }
    (tmp_path / name).write_bytes(made[kind]())
    found = open_weights(tmp_path / name)
    assert found.tensors.keys() == STATE.keys()
    assert all(np.array_equal(found.tensors[key].read(), STATE[key]) for key in STATE)
    promised = kind.startswith("torch") and name.endswith((".pt", ".pth", ".ckpt"))
    said = [warning for warning in found.warnings if "by its content" in warning]
    assert len(said) == (0 if promised else 1)
    assert promised or said[0].startswith(f"{name} is a ")


def test_a_folder_with_paddles_pickle_under_the_name_of_a_combined_file(tmp_path: Path) -> None:
    (tmp_path / "params").write_bytes(PICKLE)
    assert open_weights(tmp_path).format == "pdparams"


def test_shards_are_read_by_their_content(tmp_path: Path) -> None:
    first, second = list(STATE)[:9], list(STATE)[9:]
    save_file({key: STATE[key] for key in first}, tmp_path / "a.pdparams")
    (tmp_path / "b.pdparams").write_bytes(pickle.dumps({key: STATE[key] for key in second}, 4))
    places = {**dict.fromkeys(first, "a.pdparams"), **dict.fromkeys(second, "b.pdparams")}
    (tmp_path / "model_state.pdparams.index.json").write_text(json.dumps({"weight_map": places}))
    assert open_weights(tmp_path).tensors.keys() == STATE.keys()


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("model.pdiparams", b"\x80\x04}.", r"E306.*holds no tensors.*is a pickle .* by its content"),
        ("params", (2).to_bytes(8, "little") + b"{}" + bytes(60), r"E308.*is a safetensors file by its content"),
        ("m.pdparams", (2).to_bytes(8, "little") + b"{}" + bytes(60), r"E308.*is a safetensors file by its content"),
        ("m.pdparams", b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.", r"E303.*a file of torch.save"),
        ("m.safetensors", b"\x80\x04}.", r"E306.*is a pickle .* by its content"),
    ],
)
def test_a_fault_of_a_file_under_another_name_says_what_it_was_taken_for(
    name: str, data: bytes, said: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(FileError, match=said):
        open_weights(tmp_path / name)


def _archive(kind: str) -> bytes:
    file = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("model_state.pdparams", PICKLE)
        return file.getvalue()
    with tarfile.open(fileobj=file, mode="w") as archive:
        entry = tarfile.TarInfo("model_state.pdparams")
        entry.size = len(PICKLE)
        archive.addfile(entry, io.BytesIO(PICKLE))
    return gzip.compress(file.getvalue()) if kind == "tar.gz" else file.getvalue()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("my.zip", r"a zip archive.*Unpack it first"),
        ("my.tar", r"a tar archive.*Unpack it first"),
        ("model-ernie-m-base.tar.gz", r"a tar archive, compressed with gzip.*Unpack it first"),
        ("my.tgz", r"a tar archive, compressed with gzip.*Unpack it first"),
    ],
)
def test_an_archive_is_named_as_one(name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(_archive({"tgz": "tar.gz", "gz": "tar.gz"}.get(name.split(".")[-1], name[3:])))
    with pytest.raises(SourceError, match=f"E004.*{name} is {said}"):
        open_weights(tmp_path / name)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (ONNX, "an ONNX model"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n", "a git-LFS pointer.*git lfs pull"),
        (b"<!DOCTYPE html><html><body>404", "a web page"),
        (b"GGUF\x03\x00\x00\x00", "a GGUF file"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"Some notes\n", "of an unknown kind, text: 'Some notes"),
        (b"\x00\x01\x02\x03" * 40, "of an unknown kind"),
    ],
)
@pytest.mark.parametrize("name", ["model", "model.weights"])
def test_what_is_not_recognised_is_named_for_what_it_looks_like(
    data: bytes, said: str, name: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SourceError, match=f"E004.*{name} is {said}"):
        open_weights(tmp_path / name)


@pytest.mark.parametrize(("name", "said"), [("m.pdopt", "an optimizer's state"), ("training_args.bin", "a trainer's")])
def test_what_is_never_a_model_stays_refused_by_its_name(name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(PICKLE)
    with pytest.raises(SourceError, match=f"E004.*{said}"):
        open_weights(tmp_path / name)


def test_the_folder_of_erniekits_trainer_is_read(tmp_path: Path) -> None:
    (tmp_path / "wenxin.pdparams").write_bytes(PICKLE)
    (tmp_path / "model.meta").write_text('{"job_type": "text_classification"}')
    assert open_weights(tmp_path).tensors.keys() == STATE.keys()


def test_a_file_of_another_name_in_a_folder_is_proposed_and_not_taken(tmp_path: Path) -> None:
    for name in ("best.pt", "scheduler.pdparams", "model-00001-of-00002.pdparams.bak"):
        (tmp_path / name).write_bytes(PICKLE)
    with pytest.raises(SourceError, match=r"E002.*Do you mean best\.pt\? Name the file itself$"):
        open_weights(tmp_path)


@pytest.mark.parametrize("inside", ["params/", "model_state.pdparams", "inference.pdiparams", "wenxin.pdparams"])
def test_weights_up_to_two_folders_down_are_proposed(inside: str, tmp_path: Path) -> None:
    place = tmp_path / "output" / "model-ernie-m-base" / inside
    place.parent.mkdir(parents=True)
    if inside.endswith("/"):
        place.mkdir()
        (place / "word_embedding").write_bytes(b"")
        (place / "pos_embedding").write_bytes(b"")
    else:
        place.write_bytes(PICKLE)
    with pytest.raises(SourceError, match=r"E002.*Do you mean output/model-ernie-m-base in it\?"):
        open_weights(tmp_path)
    with pytest.raises(SourceError, match=r"E002.*Do you mean model-ernie-m-base in it\?"):
        open_weights(tmp_path / "output")


def test_the_search_below_is_bounded_and_stops_at_links_that_go_round(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"{number:03}" / "deep").mkdir(parents=True)
    (tmp_path / "000" / "again").symlink_to(tmp_path)
    with pytest.raises(SourceError, match="E002.*Name the weight file itself if it has another name"):
        open_weights(tmp_path)


@pytest.mark.parametrize("name", ["ernie_m_1.0_base.tgz", "model-ernie-m-base.tar.gz", "weights.zip"])
def test_a_folder_with_an_archive_says_to_unpack_it(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(_archive("zip" if name.endswith("zip") else "tar.gz"))
    with pytest.raises(SourceError, match=f"E002.*Unpack {name} first"):
        open_weights(tmp_path)


class Whole(torch.nn.Module):
    """A model that is pickled whole, as torch.save(model) does."""


@pytest.mark.parametrize("name", ["best.pt", "best.pth", "checkpoint.ckpt"])
def test_what_is_no_plain_state_dict_says_how_one_is_saved(name: str, tmp_path: Path) -> None:
    torch.save(Whole(), tmp_path / name)
    with pytest.raises(FileError, match=r"E301.*What is read is a plain state dict: torch\.save\(model\.state_dict"):
        open_weights(tmp_path / name)
    torch.save({"state_dict": {"a": torch.ones(1)}, "epoch": 3}, tmp_path / name)
    with pytest.raises(FileError, match=r"E306.*'state_dict'.*Save the model's state dict alone"):
        open_weights(tmp_path / name)
