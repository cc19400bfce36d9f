"""Changes of OUTPUT that do not change the model: they are no failure."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from converter.conversion import convert
from tests.support.checkpoints import write_folder
from verify import verify

Change = Callable[[Path], object]


def read_header(path: Path) -> tuple[dict[str, Any], bytes]:
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def write_file(path: Path, header: dict[str, Any], body: bytes) -> None:
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def edit_readme(output: Path) -> None:
    (output / "README.md").write_text("# My model\n")


def reorder_tensors(output: Path) -> None:
    """The bytes in another order too, not only the names."""
    path = output / "model.safetensors"
    header, body = read_header(path)
    header.pop("__metadata__", None)
    moved, parts, at = {}, [], 0
    for name in sorted(header, reverse=True):
        start, end = header[name]["data_offsets"]
        parts.append(body[start:end])
        moved[name] = {**header[name], "data_offsets": [at, at + end - start]}
        at += end - start
    write_file(path, {"__metadata__": {"format": "pt"}, **moved}, b"".join(parts))


def reshard(output: Path) -> None:
    path = output / "model.safetensors"
    header, body = read_header(path)
    header.pop("__metadata__", None)
    names = sorted(header)
    weight_map = {}
    for number in range(3):
        file, part, data = f"model-0000{number + 1}-of-00003.safetensors", {}, b""
        for name in names[number::3]:
            start, end = header[name]["data_offsets"]
            part[name] = {**header[name], "data_offsets": [len(data), len(data) + end - start]}
            data += body[start:end]
            weight_map[name] = file
        write_file(output / file, {"__metadata__": {"format": "pt"}, **part}, data)
    path.unlink()
    index = {"metadata": {"total_size": len(body)}, "weight_map": weight_map}
    (output / "model.safetensors.index.json").write_text(json.dumps(index))


def reorder_keys(output: Path) -> None:
    for name in ("config.json", "paddle2torch.json"):
        data = json.loads((output / name).read_text())
        (output / name).write_text(json.dumps({key: data[key] for key in sorted(data, reverse=True)}))


def indent_json(output: Path) -> None:
    for path in output.glob("*.json"):
        path.write_text(json.dumps(json.loads(path.read_text()), indent="\t", ensure_ascii=True) + "\n\n")


def add_git(output: Path) -> None:
    (output / ".gitattributes").write_text("*.safetensors filter=lfs diff=lfs merge=lfs -text\n")
    (output / ".git" / "objects").mkdir(parents=True)
    (output / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (output / ".git" / "config.json").write_text("{")


def add_report(output: Path) -> None:
    (output / "verification").mkdir(exist_ok=True)
    (output / "verification" / "report.json").write_text("{}")
    (output / "verification" / "stray.safetensors").write_bytes(b"")


def add_what_loading_does_not_read(output: Path) -> None:
    """The Hub's and the trainer's own files."""
    (output / "LICENSE").write_text("MIT")
    (output / "training_args.bin").write_bytes(b"\0")


def write_dtype_as_before(output: Path) -> None:
    """As transformers before 4.56 writes it, and an int where JSON has no other 10000.0."""
    config = json.loads((output / "config.json").read_text())
    config["torch_dtype"] = config.pop("dtype")
    config["attention_mask_value"] = -10000
    (output / "config.json").write_text(json.dumps(config))


def pad_header(output: Path) -> None:
    """Another format in the metadata too: the one that transformers 4.57 loads besides PyTorch's."""
    header, body = read_header(output / "model.safetensors")
    text = json.dumps({**header, "__metadata__": {"format": "mlx"}}).encode() + b" " * 64
    (output / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + body)


@pytest.mark.parametrize(
    "change",
    [
        edit_readme,
        write_dtype_as_before,
        pad_header,
        reorder_tensors,
        reshard,
        reorder_keys,
        indent_json,
        add_git,
        add_report,
        add_what_loading_does_not_read,
    ],
)
def test_it_passes_without_a_warning(tmp_path: Path, change: Change) -> None:
    source, output = write_folder(tmp_path / "source", architecture="ErnieMForTokenClassification"), tmp_path / "output"
    convert(source, output)
    before = verify(source, output, static_only=True)
    change(output)
    report = verify(source, output, static_only=True)
    assert report.passed, report.problems
    assert report.warnings == before.warnings


def test_what_some_programs_would_read_instead_is_told(tmp_path: Path) -> None:
    """The weights that from_pretrained reads are sound: a pass, with a warning."""
    source, output = write_folder(tmp_path / "source"), tmp_path / "output"
    convert(source, output)
    (output / "pytorch_model.bin").write_bytes(b"of last year")
    header, body = read_header(output / "model.safetensors")
    write_file(output / "model.safetensors", {**header, "__metadata__": {"format": "np"}}, body)
    report = verify(source, output, static_only=True)
    assert report.passed, report.problems
    told = "\n".join(report.warnings)
    assert "pytorch_model.bin: other weights, which were not looked at" in told
    assert "the format in its metadata is 'np', transformers 4.57 loads only 'pt'" in told


def test_all_at_once_run_to_the_same_numbers(
    verified: Callable[[str], Any], copy_output: Callable[[Any], Path], ready: Any
) -> None:
    whole = verified("ErnieMForSequenceClassification")
    output = copy_output(whole)
    for change in (edit_readme, reorder_tensors, reshard, reorder_keys, indent_json, add_git, add_report):
        change(output)
    report = verify(None, output, trace=whole.few_calls, start=ready)
    assert report.passed, report.problems
    assert report.checked == ["weights", "numbers", "tokens"]


def test_code_that_is_not_the_tools_own_is_told_by_its_sum(tmp_path: Path) -> None:
    """Also where the manifest agrees with it: that is a file in OUTPUT like others."""
    import hashlib

    source, output = write_folder(tmp_path / "source"), tmp_path / "output"
    convert(source, output)
    path, manifest = output / "modeling_ernie_m.py", output / "paddle2torch.json"
    path.write_text(path.read_text() + "\n# mine\n")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    data = json.loads(manifest.read_text())
    data["files"]["modeling_ernie_m.py"] = digest
    manifest.write_text(json.dumps(data))
    report = verify(source, output, static_only=True)
    assert report.passed
    assert (
        f"modeling_ernie_m.py is not this tool's own (sha256 {digest}): what it computes is compared" in report.warnings
    )
    assert report.foreign_code == {"modeling_ernie_m.py": digest}


def test_a_tensor_in_two_shards(tmp_path: Path) -> None:
    """Not harmless: which of the two is loaded is up to the reader."""
    source, output = write_folder(tmp_path / "source"), tmp_path / "output"
    convert(source, output)
    reshard(output)
    first, second = (output / f"model-0000{number}-of-00003.safetensors" for number in (1, 2))
    header, body = read_header(first)
    header.pop("__metadata__", None)
    name = min(header)
    start, end = header[name]["data_offsets"]
    other, more = read_header(second)
    other[name] = {**header[name], "data_offsets": [len(more), len(more) + end - start]}
    write_file(second, other, more + body[start:end])
    told = "\n".join(map(str, verify(source, output, static_only=True).problems))
    assert f"{name} is in model-00001-of-00003.safetensors and in model-00002-of-00003.safetensors" in told
    assert f"model.safetensors.index.json and {second.name} do not agree on {name}" in told
