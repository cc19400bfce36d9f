"""docs/tokens.json speaks of both lines, and has no mismatch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks import token_table

ROOT = Path(__file__).resolve().parents[2]


def test_both_lines_and_every_source_have_no_mismatch() -> None:
    figures: Any = json.loads((ROOT / "docs" / "tokens.json").read_text(encoding="utf-8"))
    assert sorted(line["transformers"].split(".")[0] for line in figures["lines"]) == ["4", "5"]
    assert sum(count["texts"] for count in figures["counts"].values()) > 30_000 and figures["release"] > 5_000
    for line in figures["lines"]:
        assert line["mismatches"].keys() == figures["counts"].keys() and line["release"] == 0
        for source, wrong in line["mismatches"].items():
            assert wrong == dict.fromkeys(token_table.COMPARED, 0), source


def test_a_mismatch_would_be_counted(tmp_path: Path) -> None:
    from tests.ernie_m.tokenization_reference import load, small_folder

    folder = small_folder(tmp_path / "small")
    ids = load(folder)("a 1917")["input_ids"][1:-1]
    spans = [list(span) for span in load(folder).get_offset_mapping("a 1917")]
    answers = {"ids": [ids, [5]], "tokens": [load(folder).tokenize("a 1917"), ["x"]], "offsets": [spans, None]}
    request = {"folder": str(folder), "texts": {"here": ["a 1917", "a"]}, "answers": {"here": answers}}
    request["release"] = {"texts": ["a"], "ids": [[-1]]}
    path = tmp_path / "request.json"
    path.write_text(json.dumps(request), encoding="utf-8")
    found = token_table.measure(path)
    assert found["mismatches"] == {"here": {"ids": 1, "tokens": 1, "offsets": 0}} and found["release"] == 1
