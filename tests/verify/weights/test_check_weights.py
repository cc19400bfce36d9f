"""The weights alone: every kind of damage to the files, and rounding by its definition."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converter.common.errors import SourceError
from converter.conversion import convert
from tests.support.checkpoints import make_state, write_folder
from verify import Report, verify
from verify.weights.rounding import to_float64, wrongly_rounded

FLOAT32 = "float32"


@pytest.fixture
def converted(tmp_path: Path) -> tuple[Path, Path]:
    """A source and its output; no Paddle and no torch are needed here."""
    source = write_folder(tmp_path / "source")
    convert(source, tmp_path / "output")
    return source, tmp_path / "output"


def check(source: Path, output: Path) -> Report:
    return verify(source, output, static_only=True)


def problems(report: Report) -> str:
    return "\n".join(map(str, report.problems))


def header_of(path: Path) -> tuple[dict[str, Any], bytes]:
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def write_file(path: Path, header: dict[str, Any], body: bytes) -> None:
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def test_what_was_written_passes(converted: tuple[Path, Path]) -> None:
    report = check(*converted)
    assert report.passed and report.checked == ["weights"], problems(report)
    assert report.static is not None and report.static.tensors == 38


def test_every_bit_counts(converted: tuple[Path, Path]) -> None:
    """One flipped bit, anywhere in the data, is found and named."""
    source, output = converted
    path = output / "model.safetensors"
    whole = path.read_bytes()
    start = len(whole) - len(header_of(path)[1])
    random = np.random.default_rng(1)
    for place in [start, len(whole) - 1, *random.integers(start, len(whole), 12).tolist()]:
        flipped = bytearray(whole)
        flipped[place] ^= 1 << int(random.integers(8))
        path.write_bytes(flipped)
        report = check(source, output)
        assert not report.passed and report.static is not None and len(report.static.mismatched) == 1
        assert f"{report.static.mismatched[0]}: 1 of" in problems(report)


def hidden_bytes(path: Path) -> None:
    header, body = header_of(path)
    for name, entry in header.items():
        if name != "__metadata__":
            entry["data_offsets"] = [at + 64 for at in entry["data_offsets"]]
    write_file(path, header, b"\0" * 64 + body)


def trailing_bytes(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"more")


def extra_tensor(path: Path) -> None:
    header, body = header_of(path)
    header["extra"] = {"dtype": "F32", "shape": [1], "data_offsets": [len(body), len(body) + 4]}
    write_file(path, header, body + b"\0" * 4)


def renamed_tensor(path: Path) -> None:
    header, body = header_of(path)
    header["pooler.dense.wrong"] = header.pop("pooler.dense.bias")
    write_file(path, header, body)


def other_shape(path: Path) -> None:
    header, body = header_of(path)
    header["pooler.dense.bias"]["shape"] = [4, 2]
    write_file(path, header, body)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


def twice(path: Path) -> None:
    header, body = header_of(path)
    text = json.dumps(header)[:-1] + ', "pooler.dense.bias": ' + json.dumps(header["pooler.dense.bias"]) + "}"
    path.write_bytes(struct.pack("<Q", len(text)) + text.encode() + body)


def leads_nowhere(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def is_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (hidden_bytes, "bytes that belong to no tensor"),
        (trailing_bytes, "the tensors end at byte"),
        (extra_tensor, "extra: no source tensor becomes this"),
        (renamed_tensor, "pooler.dense.bias is not in OUTPUT"),
        (other_shape, "pooler.dense.bias is [4, 2], expected [8]"),
        (cut, "model.safetensors is damaged"),
        (twice, "pooler.dense.bias stands there twice"),
        (Path.unlink, "neither model.safetensors nor"),
        (lambda path: path.with_name("stray.safetensors").write_bytes(b""), "stray.safetensors"),
        (lambda path: path.write_text("version https://git-lfs.github.com/spec/v1\n"), "is a git-LFS pointer"),
        (leads_nowhere, "model.safetensors is a link to a file that is gone"),
        (is_folder, "model.safetensors is not a regular file"),
        (lambda path: path.with_name("paddle2torch.json").unlink(), "paddle2torch.json is lost"),
        (lambda path: path.with_name("paddle2torch.json").write_text("[1]"), "paddle2torch.json is not usable"),
        (lambda path: path.with_name("config.json").unlink(), "config.json is not usable"),
    ],
)
def test_damaged_files_are_results(converted: tuple[Path, Path], damage: Callable[[Path], object], told: str) -> None:
    source, output = converted
    damage(output / "model.safetensors")
    report = check(source, output)
    assert not report.passed
    assert told in problems(report)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "more.py", "vocab.txt"])
def test_what_would_be_waited_for_is_not_opened(converted: tuple[Path, Path], name: str) -> None:
    source, output = converted
    (output / name).unlink(missing_ok=True)
    os.mkfifo(output / name)
    report = check(source, output)
    assert not report.passed
    assert f"{name}: no regular file" in problems(report)


def test_what_only_has_the_name_of_code(converted: tuple[Path, Path]) -> None:
    source, output = converted
    (output / "folder.py").mkdir()
    (output / "gone.py").symlink_to("nowhere")
    assert check(source, output).passed


def test_a_tokenizer_without_a_sum_is_told(converted: tuple[Path, Path]) -> None:
    source, output = converted
    (output / "vocab.txt").write_text("")
    (output / "tokenizer_config.json").unlink(missing_ok=True)
    assert "vocab.txt is not in paddle2torch.json" in "\n".join(check(source, output).warnings)


def test_no_output_at_all(converted: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="E405.*there is no such folder"):
        check(converted[0], tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_another_source(converted: tuple[Path, Path], tmp_path: Path) -> None:
    state = make_state()
    state["pooler.dense.bias"] = state["pooler.dense.bias"] + 1
    report = check(write_folder(tmp_path / "other", state), converted[1])
    assert (
        "made from another checkpoint: paddle2torch.json has other checksums than SOURCE's model_state.pdparams"
        in problems(report)
    )
    assert "pooler.dense.bias" in problems(report)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_rounded_output_passes_and_a_wrong_neighbour_does_not(tmp_path: Path, dtype: str) -> None:
    source = write_folder(tmp_path / "source")
    output = tmp_path / "output"
    convert(source, output, dtype=dtype)
    report = check(source, output)
    assert report.passed and report.static is not None and report.static.rounded == 38, problems(report)
    path = output / "model.safetensors"
    header, body = header_of(path)
    start, _ = header["pooler.dense.weight"]["data_offsets"]
    changed = bytearray(body)
    changed[start] ^= 1
    write_file(path, header, bytes(changed))
    assert "pooler.dense.weight: 1 of 64 elements differ" in problems(check(source, output))


def test_rounding_against_numpy() -> None:
    """Every float16, its midpoints, and what lies beside them."""
    exact = np.arange(0x7C00, dtype=np.uint16).view(np.float16).astype(np.float32)
    middle = (exact[:-1] + exact[1:]) / 2
    values = np.concatenate([exact, middle, np.nextafter(middle, np.float32(0)), np.nextafter(middle, np.float32(9e9))])
    values = np.concatenate([values, -values])
    right = values.astype(np.float16)
    assert not wrongly_rounded(values, FLOAT32, right, "float16").any()
    bits = right.view(np.uint16)
    for step in (1, -1):
        moved = (bits.astype(np.int32) + step).clip(0, 0xFBFF).astype(np.uint16)
        changed = (moved != bits) & ~((bits & 0x7FFF == 0) & (step == -1)) & (moved & 0x7FFF <= 0x7BFF)
        assert wrongly_rounded(values[changed], FLOAT32, moved[changed].view(np.float16), "float16").all()


def test_rounding_to_bfloat16_and_float32() -> None:
    import struct as bytes_of

    wide = np.array([1.0, 1.00390625, 1.01171875, -0.0, 3.0e38, np.nan, np.inf], np.float32)
    right = np.array([0x3F80, 0x3F80, 0x3F82, 0x8000, 0x7F62, 0x7FC0, 0x7F80], np.uint16)
    assert not wrongly_rounded(wide, FLOAT32, right, "bfloat16").any()
    truncated = (wide.view(np.uint32) >> 16).astype(np.uint16)
    assert wrongly_rounded(wide, FLOAT32, truncated, "bfloat16").tolist() == [
        False, False, True, False, bool(truncated[4] != 0x7F62), False, False,
    ]  # fmt: skip
    assert wrongly_rounded(wide[:1], FLOAT32, np.array([0x3F81], np.uint16), "bfloat16").all()
    assert wrongly_rounded(np.float32([3.4e38]), FLOAT32, np.array([0x7F80], np.uint16), "bfloat16").all()
    double = np.array([0.1, 1 / 3, 1e300], np.float64)
    single = np.array([bytes_of.unpack("<f", bytes_of.pack("<f", number))[0] for number in (0.1, 1 / 3)], np.float32)
    assert not wrongly_rounded(double[:2], "float64", single, FLOAT32).any()
    assert to_float64(right[:1], "bfloat16")[0] == 1.0


@pytest.mark.parametrize(
    ("file", "field", "value"),
    [
        ("config.json", "dtype", "float16"),
        ("tokenizer_config.json", "model_input_names", ["input_ids", "attention_mask"]),
        ("tokenizer_config.json", "tokenizer_class", "ErnieMTokenizer"),
        ("tokenizer_config.json", "model_max_length", 5),
        ("tokenizer_config.json", "truncation_side", "left"),
    ],
)
def test_a_field_that_no_default_call_shows(
    verified: Callable[[str], Any], copy_output: Callable[[Any], Path], file: str, field: str, value: object
) -> None:
    import json

    whole = verified("ErnieMModel")
    output = copy_output(whole)
    config = json.loads((output / file).read_text())
    (output / file).write_text(json.dumps({**config, field: value}))
    report = verify(whole.source, output, static_only=True)
    assert [problem.code for problem in report.problems] == ["E408"]
    assert field in report.problems[0].text
