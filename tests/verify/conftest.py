"""Tiny checkpoints that PaddleNLP made, converted, and what Paddle recorded for each."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from converter.conversion import convert
from tests.support.fewer import one_of_each_kind, with_few_calls, without_tokens
from tests.support.ready import start_in
from verify import Report, verify
from verify.numbers.pytorch_process import Start
from verify.results.layout import FOLDER
from verify.self_test import run as self_test_run


@dataclass(frozen=True)
class Verified:
    """A checkpoint, its conversion, the trace that Paddle recorded and the report of that verification."""

    source: Path
    output: Path
    trace: Path
    report: Report
    #: A copy of what was written to OUTPUT's folder of the verification.
    report_folder: Path

    @property
    def numbers(self) -> Path:
        """The trace without its tokens, whose 11,000 calls take most of the time of a verification."""
        path = self.trace.with_name("numbers.safetensors")
        return path if path.exists() else without_tokens(self.trace, path)

    @property
    def few_calls(self) -> Path:
        """The trace with a sixteenth of them, where it matters that tokens are compared, but not which."""
        path = self.trace.with_name("few_calls.safetensors")
        return path if path.exists() else with_few_calls(self.trace, path)


@pytest.fixture(scope="session")
def ready(product_python: Path, results: Path) -> Start:
    """A started interpreter for comparisons, each of which is made once in a run."""
    return start_in(product_python, results)


@pytest.fixture(scope="session")
def verify_live(paddle_python: Path, ready: Start, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Verified]:
    """Convert a checkpoint and verify it against Paddle itself, keeping the trace."""

    def run(source: Path, **options: Any) -> Verified:
        folder = tmp_path_factory.mktemp("verified")
        asked = {"dtype": options.pop("dtype", "keep"), "behavior": options.pop("behavior", None)}
        convert(source, folder / "output", **asked)
        trace = folder / "trace.safetensors"
        report = verify(source, folder / "output", record=trace, paddle_python=paddle_python, start=ready, **options)
        # Other tests verify this OUTPUT again, and write their report over this one.
        shutil.copytree(folder / "output" / FOLDER, folder / "report")
        return Verified(source, folder / "output", trace, report, folder / "report")

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
    make_checkpoint(source, "--format", "fortran")
    return verify_live(source)


@pytest.fixture
def copy_output(tmp_path: Path) -> Callable[[Verified], Path]:
    """A copy of an output folder that a test may damage."""

    def copy(whole: Verified) -> Path:
        target = tmp_path / "output"
        shutil.copytree(whole.output, target, ignore=shutil.ignore_patterns("verification"))
        return target

    return copy


@pytest.fixture
def few_faults(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Call it to let self-tests inject one fault of each kind, and those whose description has one of some strings."""

    def choose(*also: str) -> None:
        choose_all = self_test_run.choose_faults
        monkeypatch.setattr(
            self_test_run, "choose_faults", lambda *arguments: one_of_each_kind(choose_all(*arguments), also)
        )

    return choose
