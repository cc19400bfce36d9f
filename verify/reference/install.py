"""The reference environment in the user's cache folder: made once, whole or not there.

A virtual environment cannot be moved, so it is built in its place, and a marker that is written last says that it is
whole and what it holds. What a killed run left has no marker: the next run builds it anew.
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
from verify.reference.bundle_recorder import join_recorder
from verify.reference.pins import MARKER, PINS, interpreters, is_whole
from verify.reference.pip_output import PipFailure, run_pip
from verify.reference.python_versions import find_python
from verify.reference.subprocess_runner import clean_environment, run_process

#: What the environment takes on disk while it is made (measured: 1.9 GB, and the largest wheel beside it).
_NEEDED_BYTES = 3_000_000_000
#: Settings of the user's pip that would put packages elsewhere than into the environment.
_MISLEADING = ("PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PIP_ROOT", "PIP_REQUIRE_VIRTUALENV", "PIP_PYTHON")
Say = Callable[[str], None]
#: A stage, bytes done, bytes in all.
Progress = Callable[[str, int, int], None]


def install_reference(python: Path | None, say: Say, progress: Progress, pins: Sequence[str] = PINS) -> Path:
    """Make the reference environment unless it is there, check that it computes, and return its interpreter.

    `python`: the one to make it with; else one that Paddle supports is looked for. Raises ReferenceFailure, after
    which nothing is taken for whole; run again, it begins anew.
    """
    folder = cache_folder() / "reference"
    if is_whole(folder, pins):
        return _interpreter(folder)
    found = find_python(python)
    try:
        with _locked(folder, say) as handle:
            if is_whole(folder, pins):  # Another run made it meanwhile.
                return _interpreter(folder)
            say(f"making the reference environment in {folder}: 0.6 GB of downloads, 2 GB of disk, some minutes")
            shutil.rmtree(folder, ignore_errors=True)
            _check_space(folder.parent)
            _build(folder, found, handle, say, progress, pins)
            say("checking that it computes what it should")
            _check(_interpreter(folder), say)
            write_json(folder / MARKER, {"pins": list(pins)})
            return _interpreter(folder)
    except OSError as error:
        reason = error.strerror or str(error)
        text = f"the reference environment cannot be made in {folder}: {reason}. {VARIABLE} names another place"
        raise ReferenceFailure(Problem("E609", text)) from error


def _interpreter(folder: Path) -> Path:
    return next((path for path in interpreters(folder) if path.is_file()), folder / "bin" / "python")


@contextmanager
def _locked(folder: Path, say: Say) -> Iterator[int]:
    """Keep other installs out. The handle goes to pip too, so that the lock outlives a killed run while its pip
    still writes."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.parent / "reference.lock", "ab") as handle:
        try:
            import fcntl
        except ImportError:  # Windows: files in use cannot be removed there, which serves the same end.
            yield -1
            return
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("waiting: another run makes the reference environment")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle.fileno()


def _check_space(folder: Path) -> None:
    lack = lacking_space(folder, _NEEDED_BYTES)
    if lack is not None:
        text = f"{folder}: {lack} for the reference environment"
        raise ReferenceFailure(Problem("E609", f"{text}. Free some, or name another place with {VARIABLE}"))


def _build(folder: Path, python: Path, handle: int, say: Say, progress: Progress, pins: Sequence[str]) -> None:
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
    command = [str(_interpreter(folder)), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    try:
        run_pip([*command, "--progress-bar", "off", "--upgrade", "pip"], environment, handle, say, progress)
        run_pip([*command, "--progress-bar", "raw", *pins], environment, handle, say, progress)
    except PipFailure as error:
        raise ReferenceFailure(Problem("E609", f"the reference environment could not be made: {error}")) from error


def _environment() -> Mapping[str, str]:
    """The user's own, with the settings of their pip but for those that lead elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**{name: value for name, value in kept.items() if name not in _MISLEADING}, "PYTHONIOENCODING": "utf-8"}


def _check(interpreter: Path, say: Say) -> None:
    """That Paddle and PaddleNLP import there and compute the numbers that are known."""
    with tempfile.TemporaryDirectory(prefix="paddle2torch-check-") as scratch:
        folder = Path(scratch)
        script = folder / "record_paddle.py"
        script.write_text(join_recorder(), encoding="utf-8")
        environment = clean_environment(HOME=scratch, PPNLP_HOME=scratch, HF_HOME=scratch)
        command = [str(interpreter), "-B", str(script), "--check"]
        ended = run_process(command, environment=environment, folder=folder, on_progress=say)
    if ended.status != 0:
        text = f"the reference environment was made, and does not work: {ended.reason()}"
        raise ReferenceFailure(Problem("E611", f"{text}. Run it again with another --python"))
