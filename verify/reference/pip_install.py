"""Run pip quietly, and describe its failure in one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from verify.reference.subprocess_runner import Command, run_process

#: What shows the cause in pip's output, and the message for it. The first that is found counts.
_CAUSES = (
    (("No space left on device", "Errno 28", "Disk quota exceeded"), "the disk is full. Free some space"),
    (
        ("onnection", "TimeoutError", "ProxyError", "name resolution", "unreachable", "IncompleteRead", "SSLError"),
        "the package index cannot be reached. Is there a network, is a proxy needed? Run it again: what was "
        "downloaded is in pip's cache",
    ),
    (("No matching distribution", "Could not find a version"), "the package index does not have it"),
    (("ResolutionImpossible",), "the packages ask for releases of each other that do not go together"),
)
_SHOWN = 200


class PipFailure(Exception):
    """pip did not install the packages; the message has the reason in one line."""


def pip_install(python: Path, words: Sequence[str], environment: Mapping[str, str], lock: int) -> None:
    """`pip install` these words for an interpreter. Its child processes hold the lock `lock` (a file descriptor, or -1)
    as well. Raises PipFailure."""
    options = ["--quiet", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
    command = [str(python), "-m", "pip", "install", *options, *words]
    ended = run_process(Command(command, environment, Path.cwd(), (lock,) if lock >= 0 else ()))
    if ended.status != 0:
        raise PipFailure(find_cause(ended.stderr, ended.status))


def find_cause(stderr: str, status: int) -> str:
    """One line for what pip wrote to stderr."""
    if status < 0:
        return f"pip was ended by signal {-status}"
    lines = [line.strip() for line in stderr.splitlines() if line.strip() and not line.startswith("[notice]")]
    errors = [line for line in lines if line.lower().startswith("error:")] or lines
    last = (errors[-1] if errors else f"exit status {status}")[:_SHOWN]
    for signs, cause in _CAUSES:
        if any(sign in stderr for sign in signs):
            return f"{cause} (pip: {last})"
    return f"pip failed: {last}"
