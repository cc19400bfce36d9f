"""Less common execution modes: each finds code that is wrong only there."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.support.mode_edits import MORE_USES
from tests.verify.test_code_faults import copy_edited
from verify.modes.execution_modes import MODES, NOT_RUN
from verify.report.terminal import render_table
from verify.results.numbers import ModeResult
from verify.results.report import Report

Found = dict[str, dict[str, dict[str, Any]]]


@pytest.fixture(scope="session")
def found(verified: Callable[[str], Any], product_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Found:
    """For each edit, and without one, what came of every use; all in one process."""
    whole, place = verified("ErnieMModel"), tmp_path_factory.mktemp("uses")
    folders = [copy_edited(whole.output, place / "unedited", None)]
    for number, (_, (file, text, instead)) in enumerate(MORE_USES.values()):
        folders.append(copy_edited(whole.output, place / f"edit_{number}", ("ErnieMModel", file, text, instead)))
    environment = {**os.environ, "HF_HOME": str(place / "home"), "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)}
    script = Path(__file__).parents[2] / "support" / "run_modes.py"
    command = [str(product_python), *map(str, (script, whole.trace, place / "found.json", *folders))]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600)
    assert done.returncode == 0, done.stderr
    told = json.loads((place / "found.json").read_text())
    return {name: told[folder.name] for name, folder in zip(("unedited", *MORE_USES), folders)}


@pytest.mark.parametrize("name", MORE_USES)
def test_code_that_is_wrong_in_one_use_is_found_by_that_use(found: Found, name: str) -> None:
    assert [way for way, use in found[name].items() if use["differ"]] == [MORE_USES[name][0]], found[name]


def test_every_use_finds_something(found: Found) -> None:
    assert {way for way, _ in MORE_USES.values()} == {*MODES}


def test_a_sound_model_is_sound_in_all_of_them(found: Found) -> None:
    uses = found["unedited"]
    assert not [use["first"] for use in uses.values() if use["differ"]]
    assert {way for way, use in uses.items() if use["skipped"]} == {*NOT_RUN}
    assert {way for way, use in uses.items() if use["compared"]} == {*uses} - {*NOT_RUN}


def test_the_table_names_what_was_not_run() -> None:
    report = Report("float64", uses={"training": ModeResult(compared=4)})
    assert "not run" not in render_table(report)
    report.uses["torch.compile"] = ModeResult(skipped="it takes minutes")
    assert "not run: torch.compile (it takes minutes)" in render_table(report).splitlines()
