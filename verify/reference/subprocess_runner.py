"""Run another interpreter: report its progress, keep the end of its stderr, leave no orphan behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from converter.common.progress import OnProgress, Progress
from verify.protocol.messages import ERROR, PROGRESS

_TAIL_BYTES = 4000


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


def run_process(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    on_progress: OnProgress = lambda text: None,
    pass_fds: tuple[int, ...] = (),
) -> Ended:
    """Run `command` in `folder` to its end. Whatever interrupts the wait also ends the process and its children.

    `pass_fds`: file descriptors that the process inherits.
    """
    error = ""
    with tempfile.TemporaryFile() as stderr:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            cwd=folder,
            env=dict(environment),
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
            pass_fds=pass_fds,
        )
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith(PROGRESS):
                    on_progress(Progress(*json.loads(line[len(PROGRESS) :])))
                elif line.startswith(ERROR):
                    error = line[len(ERROR) :].strip()
            process.wait()
        finally:
            end_process(process)
        stderr.seek(max(0, stderr.seek(0, os.SEEK_END) - _TAIL_BYTES))
        return Ended(process.returncode, error, stderr.read().decode("utf-8", "replace"))


def end_process(process: subprocess.Popen[str]) -> None:
    """End a process and its group if it still runs."""
    if process.stdout is not None:
        process.stdout.close()
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
