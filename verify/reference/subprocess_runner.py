"""Run other interpreters, one or several at once: report their progress, keep the end of their stderr, leave no orphan
behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import IO, Callable

from converter.common.progress import OnProgress, Progress
from verify.protocol.messages import ERROR, PROGRESS

_TAIL_BYTES = 4000


@dataclass(frozen=True)
class Command:
    """A program with its arguments, the environment and the folder that it runs in, and file descriptors that it
    inherits."""

    words: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    pass_fds: tuple[int, ...] = ()


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
    found: list[Ended] = []
    run_together([command], lambda number, event: on_progress(event), lambda number, ended: found.append(ended))
    return found[0]


def run_together(
    commands: Sequence[Command], hear: Callable[[int, Progress], None], check: Callable[[int, Ended], None]
) -> None:
    """Run commands at the same time, each to its end. `hear` gets what they report, with the number of the command;
    `check` is called for each as soon as it has ended, and ends all others by raising. So does whatever interrupts the
    wait. Raises OSError where a program does not start."""
    events: Queue[tuple[_Running, str]] = Queue()
    running: list[_Running] = []
    with ExitStack() as files:
        try:
            for number, command in enumerate(commands):
                stderr = files.enter_context(tempfile.TemporaryFile())
                running.append(_Running(number, _start(command, stderr), stderr))
                Thread(target=running[-1].read_lines, args=(events,), daemon=True).start()
            left = len(running)
            while left:
                one, line = events.get()
                if not line:
                    left -= 1
                    check(one.number, one.ended())
                elif line.startswith(PROGRESS):
                    hear(one.number, Progress(*json.loads(line[len(PROGRESS) :])))
                elif line.startswith(ERROR):
                    one.error = line[len(ERROR) :].strip()
        finally:
            for one in running:
                end_process(one.process)


@dataclass
class _Running:
    number: int
    process: subprocess.Popen[str]
    stderr: IO[bytes]
    error: str = ""

    def read_lines(self, events: Queue[tuple[_Running, str]]) -> None:
        """Hand on each line, and "" at the end. Of a line that a killed process began the rest never comes."""
        assert self.process.stdout is not None
        with self.process.stdout as stdout:
            for line in stdout:
                if line.endswith("\n"):
                    events.put((self, line))
        events.put((self, ""))

    def ended(self) -> Ended:
        self.process.wait()
        self.stderr.seek(max(0, self.stderr.seek(0, os.SEEK_END) - _TAIL_BYTES))
        return Ended(self.process.returncode, self.error, self.stderr.read().decode("utf-8", "replace"))


def _start(command: Command, stderr: IO[bytes]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command.words,
        stdin=subprocess.DEVNULL,
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
    """This environment without what would lead another interpreter to our packages, and offline."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", PYTHONIOENCODING="utf-8", **more)
    return environment
