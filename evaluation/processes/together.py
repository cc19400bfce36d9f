"""Run several processes at once, as verify's `run_process` runs one: whatever ends the wait ends all of them."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Callable

from converter.common.progress import Progress
from verify.protocol.messages import ERROR, PROGRESS
from verify.reference.subprocess_runner import Ended, end_process

_TAIL_BYTES = 4000


@dataclass(frozen=True)
class Command:
    """A program with its arguments, the environment and the folder that it runs in."""

    words: Sequence[str]
    environment: Mapping[str, str]
    folder: Path


@dataclass
class _Running:
    number: int
    process: subprocess.Popen[str]
    stderr: IO[bytes]
    #: The beginning of a line whose end has not arrived.
    begun: bytes = b""
    error: str = ""
    lines: list[str] = field(default_factory=list)

    def read(self) -> bool:
        """Take what has arrived. False at the end."""
        assert self.process.stdout is not None
        content = os.read(self.process.stdout.fileno(), 1 << 16)
        *lines, self.begun = (self.begun + content).split(b"\n")
        self.lines += [line.decode("utf-8", "replace") for line in lines]
        return bool(content)

    def ended(self) -> Ended:
        self.process.wait()
        self.stderr.seek(max(0, self.stderr.seek(0, os.SEEK_END) - _TAIL_BYTES))
        return Ended(self.process.returncode, self.error, self.stderr.read().decode("utf-8", "replace"))


def run_together(
    commands: Sequence[Command], hear: Callable[[int, Progress], None], check: Callable[[int, Ended], None]
) -> None:
    """Run commands at the same time, each to its end. `hear` gets what they report, with the number of the command;
    `check` is called for each as soon as it has ended, and ends all others by raising."""
    running: list[_Running] = []
    with ExitStack() as files, selectors.DefaultSelector() as selector:
        try:
            for number, command in enumerate(commands):
                stderr = files.enter_context(tempfile.TemporaryFile())
                process = _start(command, stderr)
                running.append(_Running(number, process, stderr))
                assert process.stdout is not None
                selector.register(process.stdout, selectors.EVENT_READ, running[-1])
            while selector.get_map():
                for key, _ in selector.select():
                    one: _Running = key.data
                    more = one.read()
                    _tell(one, hear)
                    if not more:
                        selector.unregister(key.fileobj)
                        check(one.number, one.ended())
        finally:
            for one in running:
                end_process(one.process)


def _start(command: Command, stderr: IO[bytes]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command.words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        cwd=command.folder,
        env=dict(command.environment),
        text=True,
        start_new_session=True,
    )


def _tell(one: _Running, hear: Callable[[int, Progress], None]) -> None:
    """Pass on the progress, and keep the error, of the lines that have arrived."""
    for line in one.lines:
        if line.startswith(PROGRESS):
            hear(one.number, Progress(*json.loads(line[len(PROGRESS) :])))
        elif line.startswith(ERROR):
            one.error = line[len(ERROR) :].strip()
    one.lines.clear()
