"""Computing in a second process: its result, and how its failures reach the first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from verify.protocol.beside import compute_beside

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or len(os.sched_getaffinity(0)) < 2, reason="computed in this process here"
)


def test_the_result_comes_from_another_process() -> None:
    wait = compute_beside(lambda: (os.getpid(), ["texts"]))
    process, found = wait()
    assert process != os.getpid() and found == ["texts"]


def test_both_compute_at_the_same_time() -> None:
    """The second process waits for a line that this one writes after it was started."""
    receiver, sender = os.pipe()
    wait = compute_beside(lambda: os.read(receiver, 5))
    os.write(sender, b"a row")
    assert wait() == b"a row"
    os.close(receiver), os.close(sender)


def test_what_it_raises_is_an_error_of_the_wait(capfd: pytest.CaptureFixture[str]) -> None:
    wait = compute_beside(lambda: 1 // 0)
    with pytest.raises(RuntimeError, match="ended with exit status 1"):
        wait()
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_a_signal_that_ends_it_ends_this_process_too() -> None:
    code = (
        "import os, signal; from verify.protocol.beside import compute_beside;"
        "compute_beside(lambda: os.kill(os.getpid(), signal.SIGKILL))()"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL


def test_with_one_core_it_is_computed_when_it_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0})
    assert compute_beside(os.getpid)() == os.getpid()
