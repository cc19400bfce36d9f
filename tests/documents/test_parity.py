"""The parity tables of docs/model.md are those of docs/parity.json, and speak of every class and every kind of case."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def command() -> ModuleType:
    spec = importlib.util.spec_from_file_location("parity_table", ROOT / "benchmarks" / "parity_table.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def figures() -> Any:
    return json.loads((ROOT / "docs" / "parity.json").read_text(encoding="utf-8"))


def test_the_document_shows_the_figures(command: ModuleType, figures: Any) -> None:
    document = (ROOT / "docs" / "model.md").read_text(encoding="utf-8")
    assert command.insert(document, command.tables(figures)) == document, f"run `{command.COMMAND}`"


def test_every_class_of_the_model_file_is_measured(figures: Any) -> None:
    source = (ROOT / "ernie_m" / "modeling_ernie_m.py").read_text(encoding="utf-8")
    classes = set(re.findall(r"^class (ErnieMModel|ErnieMFor\w+)\(", source, re.MULTILINE))
    assert len(classes) == 6
    for line in figures["lines"]:
        assert set(line["worst"]) == classes


def test_both_lines_were_measured_and_nothing_exceeds_what_the_tests_allow(command: ModuleType, figures: Any) -> None:
    assert sorted(line["transformers"].split(".")[0] for line in figures["lines"]) == ["4", "5"]
    assert figures["command"] == command.COMMAND
    for line in figures["lines"]:
        assert line["compared"] > 2000
        for ways in line["worst"].values():
            assert set(ways["eager"]["kinds"]) >= {"outputs", "losses", "gradients"}
            assert ways["eager"]["quirks"].keys() == ways["sdpa"]["quirks"].keys() >= {"1", "2", "5", "5a", "9", "18"}
            values = [value for way in ways.values() for table in way.values() for value in table.values()]
            assert min(values) >= 0 and max(values) < 1e-12
        assert set(command.QUIRKS) == {number for ways in line["worst"].values() for number in ways["eager"]["quirks"]}


def test_the_quirks_have_the_numbers_of_the_document(command: ModuleType) -> None:
    document = (ROOT / "docs" / "model.md").read_text(encoding="utf-8")
    numbered = set(re.findall(r"^(\d+)\. ", document.split("## Quirk by quirk")[1], re.MULTILINE))
    assert {number.rstrip("a") for number in command.QUIRKS} <= numbered
