"""`make fuzz` in small: some cases of every reader, and that the fuzzer sees each kind of fault."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converter.files.tensors import SourceTensor
from converter.open.source import Source
from tests.support.fuzz import judge as judging
from tests.support.fuzz.run import check_sound, fuzz, make_case, run_batch
from tests.support.fuzz.subjects import make_subjects

if not Path("/proc/self/status").exists():
    pytest.skip("only Linux tells the memory of one process", allow_module_level=True)

SUBJECTS = make_subjects()
REAL, READ = judging.open_source, SourceTensor.read


def test_every_subject_is_sound_before_it_is_damaged() -> None:
    assert check_sound(SUBJECTS) == []


def test_some_cases_of_every_reader_load_equal_or_are_refused() -> None:
    tally = fuzz(SUBJECTS, seed=0, seconds=600, most=12, say=lambda text: None)
    assert tally.findings == []
    assert {name: sum(count.values()) for name, count in tally.counts.items()} == dict.fromkeys(SUBJECTS, 12)


def test_a_case_is_always_the_same() -> None:
    for subject in SUBJECTS.values():
        assert [make_case(subject, 3, number) for number in range(8)] == [
            make_case(subject, 3, number) for number in range(8)
        ]


def find(name: str, open_source: Callable[..., Source], monkeypatch: pytest.MonkeyPatch, scratch: Path) -> set[str]:
    """The first words of what is found when the reader is another."""
    from tests.support.fuzz.run import Tally

    monkeypatch.setattr(judging, "open_source", open_source)
    tally = Tally()
    run_batch(SUBJECTS[name], 0, range(1, 6), scratch, tally)
    return {verdict for _, _, verdict in tally.findings}


def test_a_traceback_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def raises(*_: object, **__: object) -> Any:
        raise KeyError("oops")

    assert all("KeyError: 'oops'" in said for said in find("safetensors", raises, monkeypatch, tmp_path))


def test_a_crash_and_a_hang_are_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os
    import signal

    monkeypatch.setattr("tests.support.fuzz.run.SECONDS", 1)

    def hangs(*_: object, **__: object) -> Any:
        while True:
            time.process_time()

    def crashes(*_: object, **__: object) -> Any:
        os.kill(os.getpid(), signal.SIGKILL)

    assert all("crashes with -9" in said for said in find("safetensors", crashes, monkeypatch, tmp_path))
    assert all("hangs" in said for said in find("safetensors", hangs, monkeypatch, tmp_path))


def test_memory_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def takes(megabytes: int) -> Callable[..., Source]:
        def open_source(*given: Any, **options: Any) -> Source:
            bytearray(b"1") * (megabytes << 20)
            return REAL(*given, **options)

        return open_source

    found = find("safetensors", takes(400), monkeypatch, tmp_path)
    assert found and all("takes 4" in said for said in found)
    assert all("MemoryError" in said for said in find("safetensors", takes(4000), monkeypatch, tmp_path))
    assert find("safetensors", takes(100), monkeypatch, tmp_path) == set()


class Exchanged(SourceTensor):
    """A tensor with other numbers."""

    def read(self) -> np.ndarray:
        return READ(self) + 1


@pytest.mark.parametrize("name", ["config.json", "variables: __model__", "torch, zip"])
def test_a_wrong_tensor_is_found(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def open_source(*given: Any, **options: Any) -> Source:
        source = REAL(*given, **options)
        tensors = dict(source.tensors.tensors)
        key, tensor = next(iter(tensors.items()))
        tensors[key] = Exchanged(**tensor.__dict__)
        return replace(source, tensors=replace(source.tensors, tensors=tensors))

    monkeypatch.setattr(judging, "open_source", open_source)
    subject = SUBJECTS[name]
    assert judging.judge(subject, subject.files[subject.target], None, tmp_path / "x").startswith("wrong tensor")


@pytest.mark.parametrize("name", ["safetensors", "pdparams, protocol 2", "pdparams, nested"])
def test_what_python_or_the_library_read_otherwise_is_found(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(SourceTensor, "read", Exchanged.read)
    monkeypatch.setattr(judging, "NO_OTHER_SOUND_FILE", ())
    subject = SUBJECTS[name]
    data = subject.files[subject.target]
    assert "the library has another" in judging.judge(subject, data, judging.Damage, tmp_path / "x")  # type: ignore[arg-type]
