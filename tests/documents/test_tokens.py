"""The token table of docs/tokenizer.md is that of docs/tokens.json, speaks of both lines, and has no mismatch."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def command() -> ModuleType:
    spec = importlib.util.spec_from_file_location("token_table", ROOT / "benchmarks" / "token_table.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def figures() -> Any:
    return json.loads((ROOT / "docs" / "tokens.json").read_text(encoding="utf-8"))


def test_the_document_shows_the_figures(command: ModuleType, figures: Any) -> None:
    document = (ROOT / "docs" / "tokenizer.md").read_text(encoding="utf-8")
    assert command.insert(document, command.table(figures)) == document, f"run `{command.COMMAND}`"


def test_both_lines_and_every_source_have_no_mismatch(command: ModuleType, figures: Any) -> None:
    assert sorted(line["transformers"].split(".")[0] for line in figures["lines"]) == ["4", "5"]
    assert sum(count["texts"] for count in figures["counts"].values()) > 30_000 and figures["release"] > 5_000
    for line in figures["lines"]:
        assert line["mismatches"].keys() == figures["counts"].keys() and line["release"] == 0
        for source, wrong in line["mismatches"].items():
            assert wrong == dict.fromkeys(command.COMPARED, 0), source


def test_a_mismatch_would_be_counted(command: ModuleType, tmp_path: Path) -> None:
    from tests.ernie_m.tokenization_reference import load, small_folder

    folder = small_folder(tmp_path / "small")
    ids = load(folder)("a 1917")["input_ids"][1:-1]
    spans = [list(span) for span in load(folder).get_offset_mapping("a 1917")]
    answers = {"ids": [ids, [5]], "tokens": [load(folder).tokenize("a 1917"), ["x"]], "offsets": [spans, None]}
    request = {"folder": str(folder), "texts": {"here": ["a 1917", "a"]}, "answers": {"here": answers}}
    request["release"] = {"texts": ["a"], "ids": [[-1]]}
    path = tmp_path / "request.json"
    path.write_text(json.dumps(request), encoding="utf-8")
    found = command.measure(path)
    assert found["mismatches"] == {"here": {"ids": 1, "tokens": 1, "offsets": 0}} and found["release"] == 1
