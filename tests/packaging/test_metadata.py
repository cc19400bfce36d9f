"""What the packages say of themselves, in the one place where each thing is said."""

from __future__ import annotations

import re
from pathlib import Path

from converter.version import __version__

ROOT = Path(__file__).resolve().parents[2]


def test_the_version_is_written_in_one_place() -> None:
    """pyproject.toml takes it from converter/version.py; what must repeat it is compared."""
    said = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    assert said is not None and said[1] == __version__
    assert f" {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert 'dynamic = ["version"]' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_every_folder_is_in_the_wheel() -> None:
    """A package that pyproject.toml does not name would be missing there and nowhere else."""
    listed = (ROOT / "pyproject.toml").read_text(encoding="utf-8").split("packages = [")[1].split("]")[0]
    named = set(re.findall(r'"([\w.]+)"', listed))
    roots = ("converter", "mappings", "verify", "ernie_m")
    files = [path for root in roots for path in (ROOT / root).rglob("*.*") if path.suffix in (".py", ".toml")]
    found = {path.parent.relative_to(ROOT) for path in files}
    assert {".".join(path.parts) for path in found} == named


def test_every_data_file_is_in_the_wheel() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8").split("[tool.setuptools.package-data]")[1]
    section = text.split("\n[")[0]
    for root in ("converter", "mappings", "verify", "ernie_m"):
        for path in (ROOT / root).rglob("*"):
            if path.is_file() and path.suffix not in (".py", ".pyc"):
                package = ".".join(path.parent.relative_to(ROOT).parts)
                lines = [line for line in section.splitlines() if line.split(" = ")[0].strip('"') == package]
                assert lines and (f'"{path.name}"' in lines[0] or f'"*{path.suffix}"' in lines[0]), path
