"""Computing in a second process: its result, and how its failures reach the first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from verify.protocol.beside import compute_beside, share_tasks

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


def test_tasks_are_shared_by_two_processes_and_their_results_stand_in_order() -> None:
    """The first task ends only when the second has been started, which another process must do."""
    receiver, sender = os.pipe()

    def work(task: int, started: int) -> tuple[int, int]:
        if task == 0:
            os.read(receiver, 1)
        elif task == 1:
            os.write(sender, b".")
        return task, os.getpid()

    found = share_tasks(work, range(5))
    os.close(receiver), os.close(sender)
    assert [task for task, _ in found] == [0, 1, 2, 3, 4]
    processes = [process for _, process in found]
    assert os.getpid() in processes and len(set(processes)) == 2


def test_the_most_costly_tasks_are_started_first() -> None:
    costs = [1, 7, 3, 5]
    assert share_tasks(lambda task, started: started, costs, lambda task: task) == [3, 0, 2, 1]


def test_tasks_that_need_memory_are_run_here_and_before_the_others() -> None:
    tasks = range(12)
    found = share_tasks(lambda task, started: (started, os.getpid()), tasks, needs_memory=lambda task: task % 3 == 2)
    assert [found[task] for task in (2, 5, 8, 11)] == [(number, os.getpid()) for number in range(4)]
    assert sorted(number for number, _ in found) == list(tasks)


@pytest.mark.parametrize("slow", [0, 1])
def test_the_first_task_that_fails_gives_the_error_whichever_process_ran_it(slow: int) -> None:
    """The other process fails too, and sooner."""

    def work(task: int, started: int) -> int:
        if task == slow:
            time.sleep(0.2)
        raise LookupError(f"task {task}") if task < 2 else OSError(f"task {task}")

    with pytest.raises(LookupError, match="task 0"):
        share_tasks(work, range(4))


def test_an_error_that_cannot_be_sent_is_sent_as_text() -> None:
    class Local(Exception):
        """pickle does not find it."""

    def work(task: int, started: int) -> None:
        if os.getpid() != here:
            raise Local("of the copy")
        time.sleep(0.05)

    here = os.getpid()
    with pytest.raises(RuntimeError, match="Local: of the copy"):
        share_tasks(work, range(20))


def test_a_signal_that_ends_the_copy_ends_this_process_too() -> None:
    code = (
        "import os, signal, time; from verify.protocol.beside import share_tasks; here = os.getpid();"
        "work = lambda task, started: time.sleep(1) if os.getpid() == here else os.kill(os.getpid(), signal.SIGKILL);"
        "share_tasks(work, range(2))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL


def test_with_one_core_tasks_run_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0})
    assert share_tasks(lambda task, started: (task, os.getpid()), "ab") == [("a", os.getpid()), ("b", os.getpid())]
