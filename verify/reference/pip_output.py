"""pip, run with its progress shown, and its many lines of failure told in one."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from typing import Callable

from verify.reference.subprocess_runner import end_process

_DOWNLOADING = re.compile(r"\s*Downloading (\S+)")
_RAW = re.compile(r"Progress (\d+) of (\d+)")
_STAGES = ("Collecting ", "Installing collected packages", "Successfully installed ", "Building wheel")
#: What in pip's output tells the cause, and what is then said. The first that is found counts.
_CAUSES = (
    (("No space left on device", "Errno 28", "Disk quota exceeded"), "the disk is full. Free some space"),
    (
        (
            "NewConnectionError",
            "Failed to establish a new connection",
            "Temporary failure in name resolution",
            "ReadTimeoutError",
            "ConnectTimeoutError",
            "ProxyError",
            "Network is unreachable",
            "Connection refused",
            "NameResolutionError",
            "IncompleteRead",
            "Connection broken",
            "SSLError",
            "Temporary failure",
        ),
        "the package index cannot be reached. Is there a network, is a proxy needed? Run it again: what was "
        "downloaded is in pip's cache",
    ),
    (("No matching distribution", "Could not find a version"), "the package index does not have it"),
    (("ResolutionImpossible",), "the packages ask for releases of each other that do not go together"),
)
_SHOWN = 200


class PipFailure(Exception):
    """pip ended without having installed what it was asked for; the text says why in one line."""


def run_pip(
    command: Sequence[str],
    environment: Mapping[str, str],
    handle: int,
    say: Callable[[str], None],
    progress: Callable[[str, int, int], None],
) -> None:
    """Run pip to its end. `handle` is a lock that it holds with us, or -1. Raises PipFailure.

    Whatever interrupts the wait also ends pip and its children.
    """
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=dict(environment),
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
            pass_fds=(handle,) if handle >= 0 else (),
        )
        try:
            _follow(process, say, progress)
            process.wait()
        finally:
            end_process(process)
        errors.seek(0)
        said = errors.read().decode("utf-8", "replace")
    if process.returncode != 0:
        raise PipFailure(find_cause(said, process.returncode))


def _follow(
    process: subprocess.Popen[str], say: Callable[[str], None], progress: Callable[[str, int, int], None]
) -> None:
    assert process.stdout is not None
    stage = "downloading"
    for line in process.stdout:
        downloading, raw = _DOWNLOADING.match(line), _RAW.match(line)
        if downloading:
            stage = "downloading " + downloading.group(1).rsplit("/", 1)[-1]
        elif raw:
            progress(stage, int(raw.group(1)), int(raw.group(2)))
        elif line.startswith(_STAGES):
            text = line.strip()
            say(text if len(text) < _SHOWN else text[:_SHOWN] + "...")


def find_cause(said: str, status: int) -> str:
    """One line for what pip said on stderr."""
    if status < 0:
        return f"pip was ended by signal {-status}"
    lines = [line.strip() for line in said.splitlines() if line.strip() and not line.startswith("[notice]")]
    wrong = [line for line in lines if line.startswith(("ERROR:", "error:"))] or lines
    last = (wrong[-1] if wrong else f"exit status {status}")[:_SHOWN]
    for signs, cause in _CAUSES:
        if any(sign in said for sign in signs):
            return f"{cause} (pip: {last})"
    return f"pip failed: {last}"
