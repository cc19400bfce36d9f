"""jit.save's table of names: with a program or alone it names the tensors, and is read like any pickle."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converter.common.errors import FileError
from converter.open.dispatch import open_weights
from tests.support.pickles import same, touch
from tests.support.streams import (
    automatic,
    info,
    write_combined,
)


@pytest.mark.parametrize("program", ["x.json", "x.pdmodel", ""])
@pytest.mark.parametrize("numbers", [(0, 0, 0), (3, 9, 97)])
def test_the_table_of_jit_save_names_the_tensors(program: str, numbers: Any, tmp_path: Path) -> None:
    state, expected = automatic(starts=numbers)
    path = write_combined(tmp_path, state, program, "x.pdiparams")
    (tmp_path / "x.pdiparams.info").write_bytes(info(dict(zip(state, expected))))
    opened = open_weights(path)
    assert same(opened, expected) and opened.naming == "structured"
    assert bool(opened.warnings) == (not program) and "x.pdiparams.info" in [file.name for file in opened.files]


def test_the_table_also_knows_names_that_nothing_else_does(tmp_path: Path) -> None:
    state, expected = automatic()
    renamed = {f"my_{name}": array for name, array in state.items()}
    path = write_combined(tmp_path, renamed, "x.json", "x.pdiparams")
    (tmp_path / "x.pdiparams.info").write_bytes(info(dict(zip(renamed, expected))))
    assert same(open_weights(path), expected)


@pytest.mark.parametrize("program", ["x.pdmodel", ""])
def test_a_pooler_that_was_pruned_is_in_the_table_alone(program: str, tmp_path: Path) -> None:
    full, keys = automatic(head="uiem")
    state, expected = automatic(head="uiem", pooler=False)
    path = write_combined(tmp_path, state, program, "x.pdiparams")
    (tmp_path / "x.pdiparams.info").write_bytes(info(dict(zip(full, keys))))
    assert same(open_weights(path), expected)


def test_a_table_that_disagrees_with_the_numbers_is_refused_where_nothing_else_tells(tmp_path: Path) -> None:
    state, expected = automatic()
    names = dict(zip(state, expected))
    names["linear_0.w_0"], names["linear_1.w_0"] = names["linear_1.w_0"], names["linear_0.w_0"]
    path = write_combined(tmp_path, state, "", "x.pdiparams")
    (tmp_path / "x.pdiparams.info").write_bytes(info(names))
    with pytest.raises(
        FileError, match=r"E322.*x\.pdiparams\.info: its names and the numbers of the variables disagree"
    ):
        open_weights(path)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"linear_0.w_0": {"structured_name": "a"}}, "E322.*does not know 'embedding_0.w_0'"),
        ([], "E321.*no table of variables"),
        ({}, "E321.*no table of variables"),
        ({"x": 3}, "E321.*expected a structured_name"),
        ({"x": {"structured_name": 3}}, "E321.*expected a structured_name"),
        ({"x": {"structured_name": "a\n"}}, "E321.*expected a structured_name"),
        ({"x": {"structured_name": "a", "more": 1}}, "E321.*expected a structured_name"),
        ({"x": {"structured_name": "a", "trainable": 7}}, "E321.*expected a structured_name"),
        ({"x": {"structured_name": "a"}, "y": {"structured_name": "a"}}, "E321.*two variables have .*'a'"),
        ({"x": {"structured_name": np.zeros(3)}}, "E321.*expected a structured_name"),
        ({"\x1b[31m": {"structured_name": "a"}}, r"E321.*\\x1b\[31m"),
    ],
)
def test_a_table_that_is_none(table: Any, said: str, tmp_path: Path) -> None:
    state, _ = automatic()
    path = write_combined(tmp_path, state, "x.json", "x.pdiparams")
    (tmp_path / "x.pdiparams.info").write_bytes(pickle.dumps(table, 2))
    if said.startswith("E321"):  # Damaged, and not needed: the program next to it names the tensors.
        (warning,) = open_weights(path).warnings
        assert re.search(said.removeprefix("E321.*"), warning)
        (tmp_path / "x.json").unlink()
    with pytest.raises(FileError, match=said):
        open_weights(path)


def test_a_table_that_wants_to_run_code_is_refused_and_nothing_runs(tmp_path: Path) -> None:
    state, _ = automatic()
    path = write_combined(tmp_path, state, "x.json", "x.pdiparams")
    (tmp_path / "x.pdiparams.info").write_bytes(pickle.dumps({"linear_0.w_0": touch(tmp_path / "ran")}, 2))
    with pytest.raises(FileError, match=r"E301.*x\.pdiparams\.info asks to run 'posix\.system'"):
        open_weights(path)
    assert not (tmp_path / "ran").exists()
