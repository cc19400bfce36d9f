"""The reference: found in order, refused clearly when it is not there, is broken, or speaks of another model."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from converter.common.errors import FileError, ReferenceFailure, SourceError
from converter.conversion import convert
from tests.support.checkpoints import write_folder
from verify import verify
from verify.protocol.trace_format import HEAD
from verify.reference.find import find_interpreter
from verify.reference.pins import MARKER, PINS
from verify.results.trace import read_trace


@pytest.fixture
def converted(tmp_path: Path) -> tuple[Path, Path]:
    source = write_folder(tmp_path / "source")
    convert(source, tmp_path / "output")
    return source, tmp_path / "output"


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without Paddle."""
    monkeypatch.delenv("PADDLE2TORCH_PADDLE_PYTHON", raising=False)
    monkeypatch.setenv("PADDLE2TORCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("verify.reference.find._PROJECT", tmp_path / "project")
    return tmp_path


def make_interpreter(folder: Path, script: str = "") -> Path:
    path = folder / "bin" / "python"
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_no_paddle_is_one_clear_error(nowhere: Path, converted: tuple[Path, Path]) -> None:
    with pytest.raises(ReferenceFailure, match=r"E601.*paddle2torch reference install.*--trace.*--static-only"):
        verify(*converted)
    assert not (converted[1] / "verification").exists()


def test_the_order_in_which_it_is_looked_for(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = make_interpreter(nowhere / "cache" / "reference")
    with pytest.raises(ReferenceFailure, match="E601"):  # What an install left that was stopped.
        find_interpreter()
    (nowhere / "cache" / "reference" / MARKER).write_text(json.dumps({"pins": list(PINS)}))
    assert find_interpreter() == installed
    beside = make_interpreter(nowhere / "project" / ".venv-paddle")
    assert find_interpreter() == beside
    named = make_interpreter(nowhere / "variable")
    monkeypatch.setenv("PADDLE2TORCH_PADDLE_PYTHON", str(named))
    assert find_interpreter() == named
    option = make_interpreter(nowhere / "option")
    assert find_interpreter(option) == option


def test_a_named_interpreter_that_is_not_there_is_not_replaced(nowhere: Path) -> None:
    make_interpreter(nowhere / "cache" / "reference")
    with pytest.raises(ReferenceFailure, match="--paddle-python names .*missing"):
        find_interpreter(nowhere / "missing")


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (
            "echo 'ModuleNotFoundError: No module named paddle' >&2; exit 1",
            "No module named paddle.*paddle2torch reference install",
        ),
        ("echo '@error weights are missing: x'; exit 3", "E602.*weights are missing: x"),
        ("echo '@error it gives zeros'; exit 4", "E611.*the reference is broken: it gives zeros.*nothing was verified"),
        ("kill -9 $$", "E603.*ended by signal 9"),
        ("exit 0", "E603"),
    ],
)
def test_a_broken_reference_never_judges(nowhere: Path, converted: tuple[Path, Path], script: str, told: str) -> None:
    python = make_interpreter(nowhere / "broken", script)
    with pytest.raises(ReferenceFailure, match=told):
        verify(*converted, paddle_python=python)


def test_an_output_that_is_not_there_costs_no_recording(
    converted: tuple[Path, Path], nowhere: Path, tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match="E405.*there is no such folder"):
        verify(converted[0], tmp_path / "nothing", paddle_python=tmp_path / "no python")


def test_an_interpreter_without_paddle(converted: tuple[Path, Path]) -> None:
    with pytest.raises(ReferenceFailure, match=r"E603.*No module named 'paddle"):
        verify(*converted, paddle_python=Path(sys.executable))


def test_a_hostile_source_never_reaches_paddle(nowhere: Path, converted: tuple[Path, Path]) -> None:
    source, output = converted
    marker = nowhere / "executed"
    python = make_interpreter(nowhere / "python", f"touch {marker}")
    command = f"cposix\nsystem\n(S'touch {marker}'\ntR.".encode()
    (source / "model_state.pdparams").write_bytes(command)
    with pytest.raises((FileError, SourceError)):
        verify(source, output, paddle_python=python)
    assert not marker.exists()


def test_neither_source_nor_trace(tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        verify(None, tmp_path)


@pytest.mark.parametrize("kept", [0, 7, 5000, -1])
def test_a_damaged_trace_is_refused(verified: Callable[[str], Any], tmp_path: Path, kept: int) -> None:
    whole = verified("ErnieMModel")
    path = tmp_path / "cut.safetensors"
    path.write_bytes(whole.trace.read_bytes()[:kept])
    with pytest.raises(ReferenceFailure, match="E604"):
        verify(whole.source, whole.output, trace=path)


def test_another_file_is_not_a_trace(verified: Callable[[str], Any]) -> None:
    whole = verified("ErnieMModel")
    with pytest.raises(ReferenceFailure, match="not one that"):
        read_trace(whole.output / "model.safetensors")
    with pytest.raises(ReferenceFailure, match="no such trace"):
        read_trace(whole.output / "missing")


def test_a_trace_of_another_checkpoint(verified: Callable[[str], Any]) -> None:
    one, other = verified("ErnieMModel"), verified("UIEM")
    with pytest.raises(ReferenceFailure, match=r"E605.*SOURCE"):
        verify(one.source, one.output, trace=other.trace)
    with pytest.raises(ReferenceFailure, match=r"E605.*paddle2torch\.json"):
        verify(None, one.output, trace=other.trace)


def test_recording_can_be_kept_from_a_trace(verified: Callable[[str], Any], tmp_path: Path) -> None:
    whole = verified("ErnieMModel")
    copied = tmp_path / "trace"
    shutil.copyfile(whole.trace, copied)
    assert read_trace(copied).sums() == read_trace(whole.trace).sums()


def test_a_trace_with_one_flipped_bit_is_refused(verified: Callable[[str], Any], tmp_path: Path) -> None:
    whole = verified("ErnieMModel")
    data = whole.trace.read_bytes()
    head = 8 + int.from_bytes(data[:8], "little")
    for place in (data.index(b"paddlenlp") + 2, head + 5, (head + len(data)) // 2, len(data) - 1):
        damaged = bytearray(data)
        damaged[place] ^= 1
        (tmp_path / "trace").write_bytes(damaged)
        with pytest.raises(ReferenceFailure, match="E604"):
            read_trace(tmp_path / "trace")


def rewrite_head(path: Path, target: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """A trace whose sums are right and whose head is another."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    head = json.loads(header["__metadata__"][HEAD][64:])
    change(head)
    text = json.dumps(head)
    header["__metadata__"][HEAD] = hashlib.sha256(text.encode()).hexdigest() + text
    whole = json.dumps(header).encode()
    target.write_bytes(len(whole).to_bytes(8, "little") + whole + data[8 + length :])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda head: head.update(config={}), "incomplete"),
        (lambda head: head.update(files=[1]), "incomplete"),
        (lambda head: head.update(files=[]), "list of files"),
        (lambda head: head.update(tokenizer={"x": 1}), "incomplete"),
        (lambda head: head.update(gradients=[{}]), "incomplete"),
        (lambda head: head["gradients"][0].update(case="zzz"), "'zzz', which is no case"),
        (lambda head: head.update(growth={}), "no error amplification"),
        (lambda head: head.update(precision="float16"), "precision is 'float16'"),
        (lambda head: head.update(architecture="Nope"), "architecture is 'Nope'"),
        (lambda head: head.update(behavior="zzz"), "behavior is 'zzz'"),
        (lambda head: head["cases"][5].update(through="zzz"), "no part of a model"),
    ],
)
def test_a_head_that_nothing_can_be_compared_by_is_refused(
    verified: Callable[[str], Any], tmp_path: Path, change: Callable[[dict[str, Any]], object], told: str
) -> None:
    """Whoever wrote it had the sums right: that is no verdict on OUTPUT either, and no traceback."""
    rewrite_head(verified("ErnieMModel").trace, tmp_path / "trace", change)
    with pytest.raises(ReferenceFailure, match=f"E604.*{told}"):
        read_trace(tmp_path / "trace")


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    """A FIFO that nobody writes to would be waited for."""
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path, tmp_path / "fifo"):
        with pytest.raises(ReferenceFailure, match=r"E604.*no regular file"):
            read_trace(path)
