"""Tiny checkpoints that PaddleNLP made, converted, and what Paddle recorded for each."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from converter.conversion import convert
from mappings import SOURCE_CLASSES
from verify import Report, verify
from verify.numbers.pytorch_process import Start

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Verified:
    """A checkpoint, its conversion, the trace that Paddle recorded and the report of that verification."""

    source: Path
    output: Path
    trace: Path
    report: Report


@pytest.fixture(scope="session")
def make_checkpoint(paddle_python: Path) -> Callable[..., None]:
    """Run tests/support/make_checkpoint.py in the reference interpreter."""

    def make(*arguments: object) -> None:
        command = [str(paddle_python), str(ROOT / "tests" / "support" / "make_checkpoint.py"), *map(str, arguments)]
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": ""}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
        assert done.returncode == 0, done.stderr

    return make


@pytest.fixture(scope="session")
def tokenizer_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small tokenizer, trained on the project's own sentences."""
    pytest.importorskip("sentencepiece")
    folder = tmp_path_factory.mktemp("tokenizer")
    script = ROOT / "tests" / "support" / "train_tokenizer.py"
    subprocess.run([sys.executable, str(script), str(folder), "--pieces", "1500"], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def checkpoints(
    make_checkpoint: Callable[..., None], tokenizer_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """name -> a PaddleNLP folder: the six classes, with a tokenizer."""
    folder = tmp_path_factory.mktemp("checkpoints")
    make_checkpoint("--architecture", "all", "--output", folder, "--seed", 3, "--tokenizer", tokenizer_folder)
    return {name: folder / name for name in SOURCE_CLASSES}


@pytest.fixture(scope="session")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """A started interpreter for judgements."""
    pytest.importorskip("torch")
    from tests.support.ready import start_server

    server, start = start_server(tmp_path_factory.mktemp("huggingface"))
    yield start
    assert server.stdin is not None
    server.stdin.close()
    server.wait(timeout=30)


@pytest.fixture(scope="session")
def verify_live(paddle_python: Path, ready: Start, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Verified]:
    """Convert a checkpoint and verify it against Paddle itself, keeping the trace."""

    def run(source: Path, **options: Any) -> Verified:
        folder = tmp_path_factory.mktemp("verified")
        convert(source, folder / "output", dtype=options.pop("dtype", "keep"))
        trace = folder / "trace.safetensors"
        report = verify(source, folder / "output", record=trace, paddle_python=paddle_python, start=ready, **options)
        return Verified(source, folder / "output", trace, report)

    return run


@pytest.fixture(scope="session")
def verified(checkpoints: dict[str, Path], verify_live: Callable[..., Verified]) -> Callable[[str], Verified]:
    """The verification of a class by its name, made once."""
    made: dict[str, Verified] = {}

    def get(name: str) -> Verified:
        if name not in made:
            made[name] = verify_live(checkpoints[name])
        return made[name]

    return get


@pytest.fixture(scope="session")
def fortran(
    make_checkpoint: Callable[..., None],
    verify_live: Callable[..., Verified],
    tmp_path_factory: pytest.TempPathFactory,
) -> Verified:
    """A checkpoint whose matrices lie in column order in the file."""
    source = tmp_path_factory.mktemp("fortran")
    make_checkpoint("--output", source, "--format", "fortran")
    return verify_live(source)


@pytest.fixture
def copy_output(tmp_path: Path) -> Callable[[Verified], Path]:
    """A copy of an output folder that a test may damage."""

    def copy(whole: Verified) -> Path:
        target = tmp_path / "output"
        shutil.copytree(whole.output, target, ignore=shutil.ignore_patterns("verification"))
        return target

    return copy
