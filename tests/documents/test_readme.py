"""What README.md shows that a program made is what it would show today."""

from __future__ import annotations

import re
import subprocess
from xml.etree import ElementTree

import pytest

from benchmarks import badges, readme
from benchmarks.figures import DOCS, ROOT, read_figures
from tests.documents.blocks import read_blocks


def test_its_blocks_are_those_of_the_first_run_and_of_the_measurements() -> None:
    text = readme.README.read_text(encoding="utf-8")
    assert readme.render(text) == text, "run `python -m benchmarks.readme --render`"


def test_every_output_that_it_shows_is_compared_with_what_is_printed() -> None:
    text = readme.README.read_text(encoding="utf-8")
    shown = re.findall(r"^```text$", text, re.MULTILINE)
    assert len(shown) == sum(bool(block.printed) for block in read_blocks(readme.README)) >= 4


def test_the_first_run_names_its_command_and_a_commit_of_this_history() -> None:
    found = read_figures(readme.FIRST_RUN)
    assert found["command"] == readme.COMMAND
    if not (ROOT / ".git").exists() or (ROOT / ".git" / "shallow").exists():
        pytest.skip("a copy without its history")
    ancestor = ["git", "merge-base", "--is-ancestor", found["commit"], "HEAD"]
    assert subprocess.run(ancestor, cwd=ROOT, capture_output=True).returncode == 0, found["commit"]


def test_the_picture_is_a_drawing_of_a_report_that_loads_nothing() -> None:
    text = (DOCS / readme.PICTURE).read_text(encoding="utf-8")
    assert "PASSED: " in text and len(text) < 100_000
    assert not re.search(r"<script|href|url\(|@import", text)
    names = {element.get("class") for element in ElementTree.fromstring(text).iter()}
    assert {"plot", "limit", "state", "inside"} <= names and "failed" not in names


def test_the_badges_are_those_of_the_project_files() -> None:
    found = {path.stem: path.read_text(encoding="utf-8") for path in badges.FOLDER.glob("*.svg")}
    assert found == badges.badges(), "run `python -m benchmarks.badges --write`"
    for name, text in found.items():
        label = ElementTree.fromstring(text).get("aria-label")
        assert f"![{label}](docs/badges/{name}.svg)" in readme.README.read_text(encoding="utf-8")


def test_transformers_5_has_no_ernie_m() -> None:
    transformers = pytest.importorskip("transformers", minversion="5")
    assert not hasattr(transformers, "ErnieMModel") and hasattr(transformers, "ErnieModel")
