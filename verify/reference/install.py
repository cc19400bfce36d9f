"""The reference environment in the user's cache folder: complete, or not used.

A virtual environment cannot be moved, so it is built in its place, and a marker that is written last states that it is
complete and what it holds. What a killed run left has no marker: the next run builds it again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Callable

from converter.common.errors import Problem, ReferenceFailure
from converter.fetch.cache import VARIABLE, cache_folder, write_json
from converter.files.disk import lacking_space
from verify.reference.bundle_recorder import RECORDER, bundle_recorder
from verify.reference.pins import MARKER, PINS, interpreters, is_whole
from verify.reference.pip_install import PipFailure, pip_install
from verify.reference.python_versions import find_python
from verify.reference.subprocess_runner import Command, clean_environment, run_process

#: What the environment takes on disk while it is made (measured: 1.9 GB, and the largest wheel next to it).
_NEEDED_BYTES = 3_000_000_000
#: Settings of the user's pip that would put packages elsewhere than into the environment.
_MISLEADING = ("PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PIP_ROOT", "PIP_REQUIRE_VIRTUALENV", "PIP_PYTHON")
OnLine = Callable[[str], None]


def install_reference(python: Path | None, report: OnLine, pins: Sequence[str] = PINS) -> Path:
    """Make the reference environment unless it exists, check that it computes correctly, and return its interpreter.

    `python`: the one to make it with; None looks for one that Paddle supports. Raises ReferenceFailure, after which
    nothing is used; run again, it starts over.
    """
    folder = cache_folder() / "reference"
    if is_whole(folder, pins):
        return _interpreter(folder)
    found = find_python(python)
    try:
        with _locked(folder, report) as lock:
            if is_whole(folder, pins):  # Another run made it meanwhile.
                return _interpreter(folder)
            report(f"making the reference environment in {folder}: 0.6 GB of downloads, 2 GB of disk, some minutes")
            shutil.rmtree(folder, ignore_errors=True)
            _check_space(folder.parent)
            _build(folder, found, lock, report, pins)
            report("checking that it computes what it should")
            _check(_interpreter(folder), report)
            write_json(folder / MARKER, {"pins": list(pins)})
            return _interpreter(folder)
    except OSError as error:
        reason = error.strerror or str(error)
        text = f"the reference environment cannot be made in {folder}: {reason}. {VARIABLE} names another place"
        raise ReferenceFailure(Problem("E609", text)) from error


def _interpreter(folder: Path) -> Path:
    return next((path for path in interpreters(folder) if path.is_file()), folder / "bin" / "python")


@contextmanager
def _locked(folder: Path, report: OnLine) -> Iterator[int]:
    """Keep other installs out, and yield the descriptor of the lock, or -1.

    pip inherits the descriptor, so that the lock outlives a killed run while its pip still writes. That is why this is
    no FileLock, which keeps its descriptor to itself.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.parent / "reference.lock", "ab") as file:
        try:
            import fcntl
        except ImportError:  # Windows: files in use cannot be removed there, which has the same effect.
            yield -1
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            report("waiting: another run makes the reference environment")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def _check_space(folder: Path) -> None:
    lack = lacking_space(folder, _NEEDED_BYTES)
    if lack is not None:
        text = f"{folder}: {lack} for the reference environment"
        raise ReferenceFailure(Problem("E609", f"{text}. Free some, or name another place with {VARIABLE}"))


def _build(folder: Path, python: Path, lock: int, report: OnLine, pins: Sequence[str]) -> None:
    """Make the virtual environment and install pip's newest release and the pins into it. Raises ReferenceFailure."""
    environment = _environment()
    made = subprocess.run(
        [str(python), "-m", "venv", str(folder)],
        capture_output=True,
        text=True,
        errors="replace",
        env=environment,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if made.returncode != 0:
        lines = (made.stdout + made.stderr).strip().splitlines() or [f"exit status {made.returncode}"]
        text = f"{python} cannot make a virtual environment: {lines[-1]}. Name another with --python"
        raise ReferenceFailure(Problem("E609", text))
    try:
        pip_install(_interpreter(folder), ["--upgrade", "pip"], environment, lock)
        report(f"installing {', '.join(pins)}")
        pip_install(_interpreter(folder), pins, environment, lock)
    except PipFailure as error:
        raise ReferenceFailure(Problem("E609", f"the reference environment could not be made: {error}")) from error


def _environment() -> Mapping[str, str]:
    """The user's own, with the settings of their pip except those that install elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**{name: value for name, value in kept.items() if name not in _MISLEADING}, "PYTHONIOENCODING": "utf-8"}


def _check(interpreter: Path, report: OnLine) -> None:
    """Let the recorder check Paddle and PaddleNLP there. Raises ReferenceFailure."""
    with tempfile.TemporaryDirectory(prefix="paddle2torch-check-") as scratch:
        recorder = Path(scratch) / RECORDER
        recorder.write_bytes(bundle_recorder())
        environment = clean_environment(HOME=scratch, PPNLP_HOME=scratch, HF_HOME=scratch)
        words = [str(interpreter), "-B", str(recorder), "--check"]
        ended = run_process(Command(words, environment, Path(scratch)), report)
    if ended.status != 0:
        text = f"the reference environment was made, and does not work: {ended.reason()}"
        raise ReferenceFailure(Problem("E611", f"{text}. Run it again with another --python"))
