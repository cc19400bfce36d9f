"""The built wheel in empty environments, on every Python that this machine has: `make pythons`.

Each environment gets the wheel and the small dependencies only, converts a tiny checkpoint, and must write the same
bytes as every other.
"""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import nox

PYTHONS = ["3.9", "3.10", "3.11", "3.12", "3.13"]
ROOT = Path(__file__).parent
#: Every package in the project's folder is a part of the product; tests and benchmarks are not packages.
PACKAGES = sorted(path.parent.name for path in ROOT.glob("*/__init__.py"))
nox.options.default_venv_backend = "virtualenv"
nox.options.error_on_missing_interpreters = False

#: Python -> what it wrote, as sums. Sessions run one after the other in one process.
_written: dict[str, str] = {}


@nox.session(python="3.11")
def wheel(session: nox.Session) -> None:
    """Build the wheel, once."""
    for stale in (ROOT / "dist").glob("*.whl"):
        stale.unlink()
    shutil.rmtree(ROOT / "build", ignore_errors=True)  # A file that is gone would come back from there.
    session.run("python", "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", "dist", ".")
    (built,) = (ROOT / "dist").glob("*.whl")
    inside = {name for name in zipfile.ZipFile(built).namelist() if ".dist-info/" not in name}
    files = [path for folder in PACKAGES for path in (ROOT / folder).rglob("*") if path.is_file()]
    expected = {path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts}
    if inside != expected:
        session.error(f"the wheel and the folders differ in {sorted(inside ^ expected)}")


@nox.session(python=PYTHONS)
def convert(session: nox.Session) -> None:
    """Install the wheel, convert, compare with what the other Pythons wrote."""
    (found,) = (ROOT / "dist").glob("*.whl")
    # The pip that virtualenv brings knows every tag of today's wheels. What runs once need not be compiled first.
    session.install("--no-compile", str(found))
    folder = Path(session.create_tmp())
    session.chdir(folder)  # Away from the project, or its folders would be imported in place of the wheel.
    said = session.run("python", "-I", str(ROOT / "tests" / "packaging" / "try_wheel.py"), silent=True)
    _written[str(session.python)] = str(said)
    session.log(f"Python {session.python}: {len(str(said).splitlines())} files written")
    if len(set(_written.values())) != 1:
        session.error(f"Python {session.python} writes other bytes than {next(iter(_written))}:\n{said}")
