"""Run other interpreters, one or several at once: report their progress, keep the end of their stderr, leave no orphan
behind."""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import IO, TYPE_CHECKING, Callable

from converter.common.progress import OnProgress, Progress
from verify.protocol.messages import ERROR, PROGRESS

if TYPE_CHECKING:
    from typing_extensions import TypeAlias

    Events: TypeAlias = "Queue[tuple[Running, str]]"

_TAIL_BYTES = 4000


@dataclass(frozen=True)
class Command:
    """A program with its arguments, the environment and the folder that it runs in, and file descriptors that it
    inherits."""

    words: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    pass_fds: tuple[int, ...] = ()
    #: Whether it waits for lines on its standard input.
    is_told: bool = False


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit status, the error that it reported, and the last lines of its stderr."""

    status: int
    error: str
    stderr: str

    def reason(self) -> str:
        """One line with the reason for the failure."""
        lines = [line.strip() for line in self.stderr.splitlines() if line.strip()]
        if self.error:
            return self.error
        if self.status < 0:
            return f"ended by signal {-self.status}" + (f" ({lines[-1]})" if lines else "")
        return lines[-1] if lines else f"exit status {self.status}"


def run_process(command: Command, on_progress: OnProgress = lambda event: None) -> Ended:
    """Run a command to its end. Whatever interrupts the wait also ends the process and its children."""
    with started(command) as running:
        return running.wait(on_progress)


@contextmanager
def started(command: Command) -> Iterator[Running]:
    """A command that runs while this process does something else. The end of the context ends it, and its children.
    Raises OSError where the program does not start."""
    with tempfile.TemporaryFile() as stderr:
        running = _run(0, command, stderr, Queue())
        try:
            yield running
        finally:
            running.end()


def run_together(
    commands: Sequence[Command], hear: Callable[[int, Progress], None], check: Callable[[int, Ended], None]
) -> None:
    """Run commands at the same time, each to its end. `hear` gets what they report, with the number of the command;
    `check` is called for each as soon as it has ended, and ends all others by raising. So does whatever interrupts the
    wait. Raises OSError where a program does not start."""
    events: Events = Queue()
    running: list[Running] = []
    with ExitStack() as files:
        try:
            for number, command in enumerate(commands):
                stderr = files.enter_context(tempfile.TemporaryFile())
                running.append(_run(number, command, stderr, events))
            left = len(running)
            while left:
                one, line = events.get()
                if not line:
                    left -= 1
                    check(one.number, one.ended())
                else:
                    one.hear(line, lambda event, number=one.number: hear(number, event))  # type: ignore[misc]
        finally:
            for one in running:
                one.end()


@dataclass
class Running:
    """A process that was started, and the lines that it has written so far."""

    number: int
    process: subprocess.Popen[str]
    stderr: IO[bytes]
    events: Events
    error: str = ""

    def send(self, line: str) -> None:
        """Write the only line of its standard input. Whether it still runs is seen by waiting for it."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError), self.process.stdin as stdin:
            stdin.write(line + "\n")

    def wait(self, on_progress: OnProgress) -> Ended:
        """Hand on what it reports until it ends."""
        while line := self.events.get()[1]:
            self.hear(line, on_progress)
        return self.ended()

    def hear(self, line: str, on_progress: OnProgress) -> None:
        if line.startswith(PROGRESS):
            on_progress(Progress(*json.loads(line[len(PROGRESS) :])))
        elif line.startswith(ERROR):
            self.error = line[len(ERROR) :].strip()

    def end(self) -> None:
        """End the process and its children, if it still runs."""
        end_process(self.process)
        if self.process.stdin is not None:
            with suppress(BrokenPipeError):
                self.process.stdin.close()

    def read_lines(self) -> None:
        """Take each line, and "" at the end. Of a line that a killed process began the rest never comes."""
        assert self.process.stdout is not None
        with self.process.stdout as stdout:
            for line in stdout:
                if line.endswith("\n"):
                    self.events.put((self, line))
        self.events.put((self, ""))

    def ended(self) -> Ended:
        self.process.wait()
        self.stderr.seek(max(0, self.stderr.seek(0, os.SEEK_END) - _TAIL_BYTES))
        return Ended(self.process.returncode, self.error, self.stderr.read().decode("utf-8", "replace"))


def _run(number: int, command: Command, stderr: IO[bytes], events: Events) -> Running:
    running = Running(number, _start(command, stderr), stderr, events)
    Thread(target=running.read_lines, daemon=True).start()
    return running


def _start(command: Command, stderr: IO[bytes]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command.words,
        stdin=subprocess.PIPE if command.is_told else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        cwd=command.folder,
        env=dict(command.environment),
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
        pass_fds=command.pass_fds,
    )


def end_process(process: subprocess.Popen[str]) -> None:
    """End a process and its group if it still runs."""
    if process.poll() is not None:
        return
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except ProcessLookupError:
        pass
    process.wait()


def clean_environment(**more: str) -> dict[str, str]:
    """This environment without what would lead another interpreter to our packages, offline, and with one thread for
    numpy's products where several would be in the way."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    if sys.platform == "linux" and platform.machine() == "x86_64":
        # Two processes compute there, and numpy's threads would wait for each other. torch and Paddle have MKL's.
        environment.setdefault("OPENBLAS_NUM_THREADS", "1")
    environment.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", PYTHONIOENCODING="utf-8", **more)
    return environment
