"""Every table of figures in docs/ is that of its JSON, which names the command and the commit that it was made by."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks import (
    attention_picture,
    bench,
    camlm_learning,
    convert_speed,
    evaluation_evidence,
    false_alarms,
    family_table,
    figures,
    leak_table,
    parity_table,
    self_test_counts,
    start_up,
    token_table,
    verify_cost,
    verify_stages,
)
from tests.support import code_edits

#: marker -> its document, its figures, and what shows them
SHOWN: dict[str, tuple[str, Any, Callable[[Any], str]]] = {
    parity_table.MARKER: ("model.md", figures.read_figures(parity_table.FIGURES), parity_table.tables),
    token_table.MARKER: ("tokenizer.md", figures.read_figures(token_table.FIGURES), token_table.show),
    family_table.MARKER: ("families.md", figures.read_figures(family_table.FIGURES), family_table.to_table),
}
MEASURED = figures.read_figures("measurements.json")
for module, document in (
    (convert_speed, "measurements.md"),
    (verify_cost, "measurements.md"),
    (verify_stages, "measurements.md"),
    (false_alarms, "measurements.md"),
    (start_up, "measurements.md"),
    (self_test_counts, "self-test.md"),
    (leak_table, "objectives.md"),
    (camlm_learning, "objectives.md"),
):
    SHOWN[module.SECTION] = (document, MEASURED.get(module.SECTION), module.show)
COMPARED = figures.read_figures(bench.FIGURES)
for section in evaluation_evidence.SECTIONS.values():
    SHOWN[section] = ("evaluation.md", MEASURED.get(section), evaluation_evidence.show)


@pytest.mark.parametrize("marker", SHOWN)
def test_a_document_shows_its_figures(marker: str) -> None:
    document, found, show = SHOWN[marker]
    assert found, f"{marker} was never measured"
    text = (figures.DOCS / document).read_text(encoding="utf-8")
    assert figures.insert(text, marker, show(found)) == text, f"run `{found['command']}`"


@pytest.mark.parametrize("marker", SHOWN)
def test_figures_name_a_command_that_is_here_and_a_commit_of_this_history(marker: str) -> None:
    check_origin(SHOWN[marker][1])


def check_origin(found: Any) -> None:
    module = re.fullmatch(r"python -m benchmarks\.(\w+) --write", found["command"])
    assert module is not None and (figures.ROOT / "benchmarks" / f"{module[1]}.py").is_file()
    ancestor = ["git", "merge-base", "--is-ancestor", found["commit"], "HEAD"]
    if not (figures.ROOT / ".git").exists() or (figures.ROOT / ".git" / "shallow").exists():
        pytest.skip("a copy without its history")
    assert subprocess.run(ancestor, cwd=figures.ROOT, capture_output=True).returncode == 0, found["commit"]


def test_every_pair_of_markers_in_docs_belongs_to_figures() -> None:
    pattern = re.compile(r"<!-- ([\w -]+): begin -->")
    found = {name for path in figures.DOCS.glob("*.md") for name in pattern.findall(path.read_text(encoding="utf-8"))}
    assert found == set(SHOWN)


def test_no_figure_contradicts_what_the_project_promises() -> None:
    assert len(MEASURED[false_alarms.SECTION]["seeds"]) >= 50
    assert all(row["passed"] for row in MEASURED[false_alarms.SECTION]["seeds"].values())
    for row in MEASURED[self_test_counts.SECTION]["rows"].values():
        assert row["found"] == row["faults"] and not row["unexplained"]
    assert MEASURED[start_up.SECTION]["help_ratio"] < 1.5
    for name, row in SHOWN[family_table.MARKER][1]["classes"].items():
        # A class with a caution fails under the first behavior of its family, and passes under the other.
        assert {line["passed"] for line in row["lines"]} == {not name.endswith("`paddlenlp`")}
        assert len(row["lines"]) == 2 and all(planted == found for planted, found in row["faults"].values())
    # Seconds depend on the machine and on what else runs on it; memory hardly does.
    limits = {"tiny": (30, 25, 1), "base": (180, 120, 5), "large": (420, 300, 10)}
    rows = {label.split(", ")[0]: row for label, row in MEASURED[verify_cost.SECTION]["rows"].items()}
    for name, (live, again, memory) in limits.items():
        row = rows[name]
        assert row["seconds"] <= live and row["seconds_with_trace"] <= again and row["peak_gigabytes"] <= memory


def test_only_the_rule_that_is_used_keeps_a_side_from_its_masked_tokens() -> None:
    ours, *others = MEASURED[leak_table.SECTION]["rules"].values()
    assert ours["own"] == 0.0 and ours["other"] > 0.05
    assert len(others) == 4 and all(row["own"] > 0.01 for row in others)


def test_camlm_learned_from_translations_and_not_from_shuffled_ones() -> None:
    found = MEASURED[camlm_learning.SECTION]
    last = {name: curve[-1] for name, curve in found["curves"].items()}
    assert len(camlm_learning.SEEDS) >= 2
    for seed in camlm_learning.SEEDS:
        assert last[f"true {seed}"] < last[f"shuffled {seed}"] - 0.1, last


@pytest.mark.parametrize(("task", "languages", "chance"), [("retrieval", 37, 0.002), ("qa", 7, 0.02)])
def test_evaluate_agrees_on_real_data_and_finds_the_faults(task: str, languages: int, chance: float) -> None:
    found = MEASURED[evaluation_evidence.SECTIONS[task]]
    assert len(found["languages"]) == languages and found["code"] == 0
    assert all(each["agree"] + each["ties"] == each["examples"] for each in found["languages"].values())
    runs = dict(found["runs"])
    sound = runs.pop(evaluation_evidence.SOUND)
    (_, view), *_ = sound["views"].items()
    assert sound["code"] == 0 and view["paddle"] == view["torch"]
    assert next(iter(view["paddle"].values())) > 10 * chance
    assert runs.keys() == {*evaluation_evidence.FAULTS, evaluation_evidence.TOKENS}
    assert all(run["code"] == 1 or run["warned"] for run in runs.values())


def test_the_pictures_are_those_of_the_masks_and_of_the_figures() -> None:
    drawn = (figures.DOCS / attention_picture.PICTURE).read_text(encoding="utf-8")
    assert drawn == attention_picture.make_picture(), "run `python -m benchmarks.attention_picture --write`"
    curves = (figures.DOCS / camlm_learning.PICTURE).read_text(encoding="utf-8")
    assert curves == camlm_learning.picture(MEASURED[camlm_learning.SECTION])


def test_the_page_of_comparisons_and_its_plots_are_those_of_their_figures() -> None:
    assert COMPARED.keys() <= set(bench.SUBJECTS)
    assert (figures.DOCS / bench.DOCUMENT).read_text(encoding="utf-8") == bench.page(COMPARED)
    drawn = {file: picture for name in COMPARED for file, picture in bench.draw(name, COMPARED[name])}
    assert drawn == {path.name: path.read_text(encoding="utf-8") for path in figures.DOCS.glob("benchmarks-*.svg")}
    for found in COMPARED.values():
        check_origin(found)


def test_what_became_slower_beyond_the_spread_of_both_runs_is_named() -> None:
    def rows(*ratio: float) -> dict[str, Any]:
        return {"base": {"contenders": {"ours": {"ratio": [1, 1, 1]}, "peer": {"ratio": list(ratio)}}}}

    before = {"rows": rows(2.0, 1.9, 2.2)}
    assert bench.slower(before, rows(1.7, 1.6, 1.8)) == ["base, to peer: 2.00 -> 1.70"]
    assert bench.slower(before, rows(1.8, 1.6, 1.95)) == []
    assert bench.slower(before, rows(3.0, 2.9, 3.1)) == []
    assert bench.slower(None, rows(1.0, 1.0, 1.0)) == [] and bench.slower({"rows": {}}, rows(1.0, 1.0, 1.0)) == []


def test_the_list_of_edits_of_code_is_as_long_as_it_is_said_to_be() -> None:
    edits = {**code_edits.EDITS, **code_edits.USES, **code_edits.TRAINING, **code_edits.CONFIGURATION}
    text = (figures.DOCS / "self-test.md").read_text(encoding="utf-8")
    assert f"is a list of {len(edits)} edits" in text


def test_figures_of_a_work_tree_that_is_no_commit_are_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for words in (
        ["init", "-q"],
        ["-c", "user.name=x", "-c", "user.email=x@x", "commit", "-q", "--allow-empty", "-m", "x"],
    ):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    monkeypatch.setattr(figures, "ROOT", tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "figures.md").write_text("x")
    assert re.fullmatch("[0-9a-f]{10}", figures.origin("x")["commit"])
    (tmp_path / "code.py").write_text("x")
    with pytest.raises(SystemExit, match="code.py"):
        figures.origin("x")
    assert figures.origin("x", written=False)["commit"].endswith("and what is not committed")
