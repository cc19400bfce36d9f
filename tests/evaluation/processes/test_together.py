"""One of several processes fails, or the wait is interrupted: the errors of one process, and none is left running."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from converter.common.errors import Paddle2TorchError
from evaluation.options import Options
from evaluation.processes.paddle import record_answers
from evaluation.processes.resources import paddle_threads, torch_threads
from evaluation.product.start import Product
from tests.evaluation.test_job import job_from
from verify.protocol.checked_file import write_checked
from verify.protocol.evaluation_job import JOB
from verify.protocol.messages import BROKEN, REFUSED
from verify.protocol.request import Request

#: A program in the place of an interpreter of either side. When three have begun, the second does what it is for.
STAND_IN = """#!{python} -IS
import json, os, signal, sys, time
asked = json.load(open(sys.argv[-1]))
folder = os.path.basename(os.path.dirname(sys.argv[-1]))
open(os.path.join({pids!r}, str(os.getpid())), "w").close()
while len(os.listdir({pids!r})) < 3:
    time.sleep(0.01)
if folder.rpartition("_")[2] == "1":
    {fate}
time.sleep(60)
"""
FATES = {
    f"print('@error wrong numbers', flush=True) or sys.exit({BROKEN})": "E611]: .* is broken: wrong numbers",
    f"print('@error no weights', flush=True) or sys.exit({REFUSED})": "E602]: .* checkpoint: no weights",
    "sys.exit('No module named paddle')": "E603]: .*No module named paddle. Is it the reference environment",
    "sys.exit(0)": "E603]: .* failed: exit status 0. Run it again",
    "os.kill(os.getpid(), signal.SIGKILL)": "E603]: .* ended by signal 9. Run it again",
}


@pytest.fixture
def stand_in(tmp_path: Path) -> Callable[[str], Path]:
    """(what the second process does) -> the program."""

    def make(fate: str) -> Path:
        (tmp_path / "pids").mkdir()
        program = tmp_path / "stand_in"
        program.write_text(STAND_IN.format(python=sys.executable, pids=str(tmp_path / "pids"), fate=fate))
        program.chmod(0o755)
        return program

    return make


@pytest.fixture
def request_of(tmp_path: Path) -> Request:
    job = job_from([[1] * length for length in (1, 2, 3)])
    write_checked(str(tmp_path / "job"), JOB, job.arrays(), job.head())
    return Request(source="x", job=str(tmp_path / "job"))


def assert_none_runs(folder: Path) -> None:
    started = [int(path.name) for path in (folder / "pids").iterdir()]
    assert len(started) == 3
    for number in started:
        with pytest.raises(ProcessLookupError):
            os.kill(number, 0)


@pytest.mark.parametrize("fate", FATES)
def test_paddles_errors_are_those_of_one_process(
    fate: str, stand_in: Callable[[str], Path], request_of: Request, tmp_path: Path
) -> None:
    program, messages = stand_in(fate), []
    for count in (3, 1):
        folder = tmp_path / f"paddle_{count}"
        folder.mkdir()
        with pytest.raises(Paddle2TorchError, match=FATES[fate]) as found:
            record_answers(program, request_of, count, folder, lambda event: None)
        messages.append(str(found.value))
        if count == 3:
            assert_none_runs(tmp_path)
    assert messages[0] == messages[1]


def test_a_program_that_does_not_run(request_of: Request, tmp_path: Path) -> None:
    with pytest.raises(Paddle2TorchError, match=r"E601\]: .*gone does not run: No such file"):
        record_answers(tmp_path / "gone", request_of, 3, tmp_path, lambda event: None)


@pytest.mark.parametrize(
    ("fate", "expected"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "E607]: the process that runs OUTPUT was killed"),
        ("sys.exit('no such thing')", "E607]: the process that runs OUTPUT failed: no such thing"),
        (
            "open(asked['result'], 'w').write(json.dumps({'problems': [['E407', 'no such class']]})); sys.exit()",
            "E407]: no such class",
        ),
    ],
)
def test_what_stops_output_stops_all(
    fate: str, expected: str, stand_in: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(stand_in(fate)))
    job = job_from([[1] * length for length in (1, 2, 3)])
    with pytest.raises(Paddle2TorchError, match=expected):
        Product(tmp_path, "ernie_m", tmp_path, lambda event: None).answer(
            {"PyTorch": job}, Options("classification", processes=3)
        )
    assert_none_runs(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_all(
    number: signal.Signals, stand_in: Callable[[str], Path], request_of: Request, tmp_path: Path
) -> None:
    """As the command has it: the handler raises in the thread that waits."""
    program = stand_in("pass")

    def interrupt() -> None:
        while len(list((tmp_path / "pids").iterdir())) < 3:
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    before = signal.signal(number, signal.default_int_handler)
    thread = threading.Thread(target=interrupt)
    try:
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            record_answers(program, request_of, 3, tmp_path, lambda event: None)
    finally:
        thread.join()
        signal.signal(number, before)
    assert_none_runs(tmp_path)


@pytest.mark.parametrize(("asked", "torch", "paddle"), [("8", 2, 2), ("1", 1, 1), ("", 4, 1)])
def test_threads_are_divided(asked: str, torch: int, paddle: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", asked)
    monkeypatch.setattr("os.sched_getaffinity", lambda process: set(range(14)))
    assert (torch_threads(3), paddle_threads(3)) == (torch, paddle)
