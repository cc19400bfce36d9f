"""What keeps a folder from being pushed: everything that a passing full report of these very bytes does not cover."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from converter import Paddle2TorchError
from converter.publish.evidence import check_evidence
from converter.publish.folder import list_files
from tests.support.publish_fixtures import write_report, write_trace


def problems(output: Path) -> list[str]:
    """The codes and texts of what `push` would refuse with."""
    return [str(problem) for problem in check_evidence(output, list_files(output))[1]]


def test_a_full_report_of_these_bytes_is_proof(output: Path) -> None:
    assert problems(output) == []


DECIDING = ["model.safetensors", "config.json", "vocab.txt", "modeling_ernie_m.py", "configuration_ernie_m.py"]


@pytest.mark.parametrize("name", [*DECIDING, "tokenization_ernie_m.py"])
def test_one_flipped_bit_in_any_deciding_file_is_seen(output: Path, name: str) -> None:
    data = bytearray((output / name).read_bytes())
    data[-2] ^= 1
    (output / name).write_bytes(data)
    assert any(text.startswith(f"error[E803]: {name} has changed") for text in problems(output))


@pytest.mark.parametrize("name", DECIDING)
def test_a_deciding_file_that_is_gone_is_seen(output: Path, name: str) -> None:
    (output / name).unlink()
    assert any(f"{name} is in the report, and not in OUTPUT" in text for text in problems(output))


EXTRAS = [
    "other.safetensors",
    "extra.py",
    "added_tokens.json",
    "tokenizer.json",
    "bpe.model",
    "notes.txt",
    "pytorch_model.bin",
    "weights.pt",
    "unknown",
    "sub/config.json",
    "sub/evil.py",
    "onnx/model.onnx",
]


@pytest.mark.parametrize("name", EXTRAS)
def test_a_file_that_nobody_verified_is_seen(output: Path, name: str) -> None:
    (output / name).parent.mkdir(exist_ok=True)
    (output / name).write_bytes(b"{}")
    assert any(text.startswith(f"error[E803]: {name} is not in the report") for text in problems(output))


@pytest.mark.parametrize(
    "name", ["LICENSE", "NOTICE", "docs/more.md", "picture.png", "CITATION.cff", ".hidden", "README.md"]
)
def test_documents_need_no_report(output: Path, name: str) -> None:
    (output / name).parent.mkdir(exist_ok=True)
    (output / name).write_bytes(b"text")
    assert problems(output) == []


def without(name: str) -> dict[str, Any]:
    return {name: ...}


SITE = {"case": "a", "site": "x", "max_abs": 0.0, "max_rel": 0.0, "tolerance": 1e-12, "passed": True}
GRADIENT = {"tensor": "w", "case": "a", "max_abs": 1e-15, "max_rel": 1e-15, "tolerance": 1e-12, "passed": True}
BAD_REPORTS: list[tuple[dict[str, Any], str]] = [
    ({"passed": False}, "did not pass"),
    ({"passed": "true"}, "did not pass"),
    ({"problems": [{"code": "E402", "text": "x"}]}, "did not pass"),
    ({"checked": ["weights"]}, "numbers, tokens not looked at"),
    ({"checked": ["weights", "tokens"]}, "numbers not looked at"),
    ({"checked": ["numbers", "tokens"]}, "weights not looked at"),
    ({"checked": ["weights", "numbers"]}, "tokens not looked at"),
    ({"checked": "weights, numbers, tokens"}, "damaged"),
    ({"static": {"tensors": 38, "mismatched": ["x"]}}, "not that every tensor"),
    ({"static": {"tensors": 0, "mismatched": []}}, "not that every tensor"),
    ({"static": None}, "damaged"),
    ({"sites": []}, "not that every site"),
    ({"sites": [{**SITE, "passed": False}]}, "not that every site"),
    ({"sites": [{**SITE, "max_rel": 1.0}]}, "not within its limit"),
    ({"sites": [{**SITE, "max_rel": None}]}, "not within its limit"),
    ({"sites": [{"case": "a"}]}, "damaged"),
    ({"sites": 7}, "damaged"),
    ({"gradients": [{**GRADIENT, "passed": False}]}, "not that every gradient"),
    ({"gradients": [{**GRADIENT, "max_rel": 1.0}]}, "not that every gradient"),
    ({"gradients": [{**GRADIENT, "max_rel": None}]}, "damaged"),
    ({"tokenizer": None}, "damaged"),
    ({"tokenizer": {"texts": 385, "mismatched": 1}}, "not that every text"),
    ({"tokenizer": {"texts": 0, "mismatched": 0}}, "not that every text"),
    ({"tokenizer": {"texts": 385, "mismatched": 0, "ways": {"pipeline": [9, 1]}}}, "not that every text"),
    ({"files": {}}, "not in the report"),
    ({"files": []}, "damaged"),
    ({"files": {"config.json": "abc"}}, "damaged"),
    (without("passed"), "it lacks 'passed'"),
    (without("checked"), "it lacks 'checked'"),
    (without("files"), "it lacks 'files'"),
    (without("static"), "it lacks 'static'"),
    (without("sites"), "it lacks 'sites'"),
    (without("gradients"), "it lacks 'gradients'"),
    (without("tokenizer"), "it lacks 'tokenizer'"),
    (without("problems"), "it lacks 'problems'"),
]


@pytest.mark.parametrize(("changes", "said"), BAD_REPORTS)
def test_a_report_that_is_no_proof_says_why(output: Path, changes: dict[str, Any], said: str) -> None:
    write_report(output, **changes)
    found = problems(output)
    assert found and any(said in text for text in found), found


def test_a_report_that_lacks_one_file_does_not_cover_it(output: Path) -> None:
    path = output / "verification" / "report.json"
    report = json.loads(path.read_text())
    del report["files"]["modeling_ernie_m.py"]
    path.write_text(json.dumps(report))
    assert problems(output) == [
        "error[E803]: modeling_ernie_m.py is not in the report: nobody has verified it. Run `paddle2torch verify` again"
    ]


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"passed": true, "passed": true}', b"{" * 5000, b'{"x": NaN}']
)
def test_a_damaged_report_is_no_proof(output: Path, data: bytes) -> None:
    (output / "verification" / "report.json").write_bytes(data)
    (found,) = problems(output)
    assert found.startswith("error[E802]") and "report.json is damaged" in found and len(found.splitlines()) == 1


def test_no_report_is_no_proof(output: Path) -> None:
    (output / "verification" / "report.json").unlink()
    assert problems(output)[0].startswith("error[E802]: there is no verification/report.json")


def test_a_folder_without_a_tokenizer_needs_no_tokens(output: Path) -> None:
    (output / "vocab.txt").unlink()
    write_report(output, checked=["weights", "numbers"], tokenizer=None)
    assert problems(output) == []


@pytest.mark.parametrize("name", ["tokenizer_config.json", "added_tokens.json", "sentencepiece.bpe.model"])
def test_a_part_of_a_tokenizer_is_a_tokenizer(output: Path, name: str) -> None:
    (output / "vocab.txt").unlink()
    (output / name).write_text("{}")
    write_report(output, checked=["weights", "numbers"], tokenizer=None)
    assert any("tokens not looked at" in text for text in problems(output))


def damage_nothing(output: Path) -> None:
    (output / "paddle2torch.json").unlink()


def damage_text(output: Path) -> None:
    (output / "paddle2torch.json").write_text("{")


def damage_sum(output: Path) -> None:
    path = output / "paddle2torch.json"
    manifest = json.loads(path.read_text())
    manifest["tensors"][3]["sha256"] = "0" * 64
    path.write_text(json.dumps(manifest))


def damage_entry(output: Path) -> None:
    path = output / "paddle2torch.json"
    manifest = json.loads(path.read_text())
    del manifest["tensors"][3]
    path.write_text(json.dumps(manifest))


@pytest.mark.parametrize("damage", [damage_nothing, damage_text, damage_sum, damage_entry])
def test_a_manifest_that_does_not_tell_the_truth_is_refused(output: Path, damage: Callable[[Path], None]) -> None:
    damage(output)
    assert any(text.startswith("error[E406]: paddle2torch.json") for text in problems(output))


@pytest.mark.parametrize(
    "name", ["model.safetensors", "README.md", "link.png", "verification/report.json", "verification"]
)
def test_a_link_is_refused_wherever_it_leads(output: Path, tmp_path: Path, name: str) -> None:
    real = tmp_path / "elsewhere"
    if (output / name).exists():
        os.rename(output / name, real)
    else:
        real.write_text("x")
    (output / name).symlink_to(real)
    with pytest.raises(Paddle2TorchError, match=rf"E804.*{name} is a symbolic link"):
        list_files(output)


def test_a_pipe_is_refused_and_not_waited_for(output: Path) -> None:
    os.mkfifo(output / "pipe.json")
    with pytest.raises(Paddle2TorchError, match=r"E804.*pipe.json is not a regular file"):
        list_files(output)


def test_all_problems_are_told_at_once(output: Path) -> None:
    (output / "config.json").write_text("{}")
    (output / "extra.py").write_text("")
    write = output / "verification" / "report.json"
    report = json.loads(write.read_text())
    write.write_text(json.dumps({**report, "passed": False}))
    codes = [text[6:10] for text in problems(output)]
    assert codes == ["E802", "E803", "E803"]


def test_a_trace_of_this_checkpoint_is_part_of_the_proof(output: Path) -> None:
    write_trace(output)
    assert problems(output) == []


def test_a_trace_that_does_not_verify_the_model_is_refused(output: Path) -> None:
    write_trace(output, files=[{"name": "model_state.pdparams", "sha256": "0" * 64}])
    (text,) = problems(output)
    assert text.startswith("error[E605]: verification/trace.safetensors: ") and "Remove it" in text
    write_trace(output, round_to="float16")
    assert problems(output)[0].startswith("error[E605]")
    path = write_trace(output)
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    assert problems(output)[0].startswith("error[E604]")


@pytest.mark.parametrize("name", ["a\nb.md", "a\x1b[2J.md", os.fsdecode(b"a\xff.md"), "a\u202e.md"])
def test_a_name_that_no_terminal_shows_as_it_is_is_refused(output: Path, name: str) -> None:
    try:
        (output / name).write_text("x")
    except OSError:  # Not every file system takes it.
        pytest.skip("this file system does not take the name")
    with pytest.raises(Paddle2TorchError, match="E804") as caught:
        list_files(output)
    assert str(caught.value).isascii() and str(caught.value).isprintable()
