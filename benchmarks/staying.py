"""Contenders whose start-up is not measured: processes that stay alive, and do one task for each line of input."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Optional

from benchmarks.figures import ROOT
from benchmarks.watching import Run, in_megabytes, kinds_of_memory, sampled


class Staying:
    """Processes by their commands. One works at a time; programs/answering.py is their side of it."""

    def __init__(self) -> None:
        self._processes: dict[tuple[str, ...], _Process] = {}

    def __enter__(self) -> Staying:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.end_all_but(())

    def ask(self, name: str, command: list[str], environment: Mapping[str, str], task: str) -> Run:
        """One task; the process is started if it is not there. Raises SystemExit where it ended."""
        key = tuple(command)
        if key not in self._processes:
            self._processes[key] = _Process(name, command, environment)
        return self._processes[key].do(task)

    def end_all_but(self, commands: Iterable[list[str]]) -> None:
        """End the processes of other commands: they would take memory from those that are compared."""
        kept = {tuple(command) for command in commands}
        for key in self._processes.keys() - kept:
            self._processes.pop(key).end()


class _Process:
    def __init__(self, name: str, command: list[str], environment: Mapping[str, str]) -> None:
        self._name, self._errors = name, tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def do(self, task: str) -> Run:
        """What the process measured of itself is the output; its memory is sampled meanwhile."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with sampled(lambda: kinds_of_memory(self._process.pid), 0.02) as peaks:
            with suppress(BrokenPipeError):  # It has ended: no line comes.
                print(task, file=self._process.stdin, flush=True)
            line = self._process.stdout.readline()
        if not line:
            code = self._process.wait()
            self._errors.seek(0)
            raise SystemExit(f"{self._name} ended with {code}:\n{self._errors.read()[-2000:]}")
        return Run(0, line, 0.0, 0.0, *in_megabytes(peaks))

    def end(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._errors.close()
