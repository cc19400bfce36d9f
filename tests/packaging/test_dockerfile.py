"""The Dockerfile copies what the project is built from, and uses pins that are there."""

from __future__ import annotations

import re

import tomllib

from tests.conftest import ROOT

TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_the_image_gets_every_package_and_what_the_build_reads() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    names = [pattern.rstrip("*") for pattern in project["tool"]["setuptools"]["packages"]["find"]["include"]]
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py") if path.parent.name.startswith(tuple(names))}
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = {line.removeprefix("!") for line in lines if line.startswith("!")}
    read = {project["project"]["readme"], *project["project"]["license-files"], "pyproject.toml", "requirements"}
    assert lines[1] == "*" and folders | read <= allowed


def test_every_file_that_it_copies_is_here_and_the_pins_are_those_of_the_tests() -> None:
    copied = re.findall(r"^COPY (\S+) ", TEXT, re.MULTILINE)
    assert "requirements/paddle.txt" in copied and all((ROOT / name).exists() for name in copied)
    assert re.search(r"^torch==", (ROOT / "requirements" / "dev.txt").read_text(), re.MULTILINE)
    assert "grep '^torch=='" in TEXT


def test_paddle_is_found_and_checked_in_the_build() -> None:
    from verify.reference.find import VARIABLE

    assert f"{VARIABLE}=/opt/paddle/bin/python" in TEXT and "--check" in TEXT
    assert re.findall(r"^USER (\S+)$", TEXT, re.MULTILINE) == ["1000"]
