"""How a comparison is shown: tables, plots."""

from __future__ import annotations

from typing import Any

from benchmarks import bench
from benchmarks.peers import tokenizer


def measured(*ratio: float, across: float | None = None, **more: Any) -> dict[str, Any]:
    ours = {"seconds": [0.02, 0.01, 0.03], "ratio": [1, 1, 1]}
    peer = {"seconds": [5.0, 4.0, 60.0], "ratio": list(ratio)}
    for found in (ours, peer):
        found |= {"cpu_seconds": [1, 1, 1], "cpu_ratio": [1, 1, 1], "own_megabytes": [1500, 1, 2]}
        found["file_megabytes"] = [3, 1, 2]
    return {"across": across, "contenders": {"ours": ours, "peer": peer}, **more}


def figures(rows: dict[str, Any]) -> dict[str, Any]:
    return {"command": "c", "commit": "0", "machine": "m", "rounds": 5, "rows": rows, "slower": []}


def test_a_contest_of_its_own_has_a_table_with_all_that_was_measured() -> None:
    text = bench.show("convert", figures({"base": measured(2.0, 1.5, 2.5)}))
    assert "\n| base | wall | to ours | CPU | to ours | memory of its own | pages of files |\n" in text
    assert "\n| peer | 5 s (4 s to 60.0 s) | 2.00 (1.50 to 2.50) | 1 s (1 s to 1 s) |" in text
    assert "| 20 ms (10 ms to 30 ms) | 1.00 (1.00 to 1.00) |" in text and "| 1,500 MB | 3 MB |" in text


def test_contests_of_one_table_are_lines_of_it() -> None:
    alone = measured(1.0, 1.0, 1.0, table="some")
    del alone["contenders"]["peer"]
    rows = {"some: a": measured(2.0, 1.5, 2.5, table="some"), "some: b": {**alone, "rounds": 2}}
    rows["some: c"] = measured(0.5, 0.5, 0.5, table="some", rounds=1)
    text = bench.show("convert", figures(rows))
    table = [
        "| some | ours | peer |",
        "| --- | --- | --- |",
        "| a | 20 ms | 5 s (2.00) |",
        "| b (2 rounds) | 20 ms | - |",
        "| c (1 round) | 20 ms | 5 s (0.50) |",
    ]
    assert "\n".join(table) in text


def test_plots_are_those_of_the_subject_where_there_are_two_places() -> None:
    rows = {str(across): measured(2.0, 1.5, 2.5, across=across) for across in (1, 100)}
    assert tokenizer.PLOTTED == ("time",)
    drawn = dict(bench.draw("tokenizer", figures(rows)))
    assert list(drawn) == ["benchmarks-tokenizer-time.svg"] and ">texts a batch<" in next(iter(drawn.values()))
    assert "](benchmarks-tokenizer-time.svg)" in bench.show("tokenizer", figures(rows))
    assert len(dict(bench.draw("convert", figures(rows)))) == 2
    del rows["100"]
    assert not dict(bench.draw("tokenizer", figures(rows))) and "![" not in bench.show("tokenizer", figures(rows))
