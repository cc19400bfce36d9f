"""docs/parity.json speaks of every class and every kind of case, in both lines of transformers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks import parity_table

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def figures() -> Any:
    return json.loads((ROOT / "docs" / "parity.json").read_text(encoding="utf-8"))


def test_every_class_of_the_model_file_is_measured(figures: Any) -> None:
    source = (ROOT / "ernie_m" / "modeling_ernie_m.py").read_text(encoding="utf-8")
    classes = set(re.findall(r"^class (ErnieMModel|ErnieMFor\w+)\(", source, re.MULTILINE))
    assert len(classes) == 7
    for line in figures["lines"]:
        # PaddleNLP has no masked LM of ERNIE-M: docs/masked-lm.md has what `verify` finds.
        assert set(line["worst"]) == classes - {"ErnieMForMaskedLM"}


def test_both_lines_were_measured_and_nothing_exceeds_what_the_tests_allow(figures: Any) -> None:
    assert sorted(line["transformers"].split(".")[0] for line in figures["lines"]) == ["4", "5"]
    for line in figures["lines"]:
        assert line["compared"] > 2000
        for ways in line["worst"].values():
            assert set(ways["eager"]["kinds"]) >= {"outputs", "losses", "gradients"}
            assert ways["eager"]["quirks"].keys() == ways["sdpa"]["quirks"].keys() >= {"1", "2", "5", "5a", "9", "18"}
            values = [value for way in ways.values() for table in way.values() for value in table.values()]
            assert min(values) >= 0 and max(values) < 1e-12
        quirks = {number for ways in line["worst"].values() for number in ways["eager"]["quirks"]}
        assert set(parity_table.QUIRKS) == quirks


def test_the_quirks_have_the_numbers_of_the_document() -> None:
    document = (ROOT / "docs" / "model.md").read_text(encoding="utf-8")
    numbered = set(re.findall(r"^(\d+)\. ", document.split("## Quirk by quirk")[1], re.MULTILINE))
    assert {number.rstrip("a") for number in parity_table.QUIRKS} <= numbered
