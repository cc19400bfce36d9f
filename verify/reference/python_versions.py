"""A Python that Paddle and PaddleNLP support, to make the reference environment with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from converter.common.errors import Problem, ReferenceFailure

#: Best first: the pins were tried on 3.11.
SUPPORTED = ((3, 11), (3, 10), (3, 12), (3, 9))
_ASK = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"


def find_python(named: Path | None) -> Path:
    """The named Python, if it is one that can be used, else the best on this machine. Raises ReferenceFailure."""
    if named is not None:
        version, problem = ask_version(named)
        if version not in SUPPORTED:
            reason = problem or f"it is Python {'.'.join(map(str, version or ()))}, expected {_listed()}"
            raise ReferenceFailure(Problem("E610", f"--python {named}: {reason}"))
        return named.absolute()
    for wanted in SUPPORTED:
        for candidate in candidates(wanted):
            if ask_version(candidate)[0] == wanted:
                return candidate
    text = f"no Python that Paddle supports was found ({_listed()}, with venv and ensurepip). Install one, or name it"
    raise ReferenceFailure(Problem("E610", f"{text} with --python"))


def _listed() -> str:
    return ", ".join(f"{major}.{minor}" for major, minor in SUPPORTED)


def candidates(version: tuple[int, int]) -> Iterator[Path]:
    """Where a Python of this version may be: this one, those on the PATH, pyenv's."""
    if sys.version_info[:2] == version:
        yield Path(sys.executable)
    name = f"python{version[0]}.{version[1]}"
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        found = shutil.which(name, path=folder)
        if found:
            yield Path(found)
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    yield from sorted(root.glob(f"{version[0]}.{version[1]}.*/bin/python"))


def ask_version(python: Path) -> tuple[tuple[int, int] | None, str]:
    """The version of a Python that can make virtual environments, or None and why it is not one."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    try:
        done = subprocess.run(
            [str(python), "-c", _ASK],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=30,
            env=environment,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, f"it does not run ({getattr(error, 'strerror', None) or error})"
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        hint = " (on Debian and Ubuntu: install python3-venv)" if "ensurepip" in lines[-1] else ""
        return None, f"it cannot make virtual environments: {lines[-1]}{hint}"
    try:
        major, minor = map(int, done.stdout.strip().split("."))
    except ValueError:
        return None, f"it is no Python: it prints {done.stdout.strip()[:40]!r}"
    return (major, minor), ""
