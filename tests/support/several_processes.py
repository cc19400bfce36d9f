"""Processes that train together over gloo, and wait for each other."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.conftest import ROOT


def start_process(
    command: Sequence[object], folder: Path, errors: int = subprocess.PIPE, **environment: str
) -> subprocess.Popen[str]:
    """Start a command in a folder, with this project's modules and without the Hub. `errors`: where stderr goes."""
    settings = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "GLOO_SOCKET_IFNAME": "lo"}
    return subprocess.Popen(
        [str(word) for word in command], cwd=folder, env={**os.environ, **settings, **environment}, text=True,
        stdout=subprocess.PIPE, stderr=errors,
    )  # fmt: skip


def finish_together(started: Sequence[subprocess.Popen[str]]) -> list[str]:
    """Wait for all, and return the stdout of each. A failure of one fails the test; none is left running."""
    try:
        ended = [process.communicate(timeout=180) for process in started]
    finally:
        for process in started:
            process.kill()
    for process, (output, errors) in zip(started, ended):
        assert process.returncode == 0, (output if errors is None else errors)[-3000:]
    return [output for output, _ in ended]
