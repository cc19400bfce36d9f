"""A model that gives Paddle's numbers in the recorded cases and other ones in ordinary calls is found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.classes import ERNIE_M_CLASSES
from tests.support.code_edits import CONFIGURATION, TRAINING, USES, Edit
from verify import Report, verify
from verify.modes.execution_modes import MODES, NOT_RUN
from verify.numbers.pytorch_process import Start
from verify.report.terminal import render_table
from verify.results.numbers import DEFAULT_LOAD


@pytest.fixture
def judge_edited(
    verified: Callable[[str], Any], copy_output: Callable[[Any], Path], ready: Start
) -> Callable[[Edit], Report]:
    def judge(edit: Edit) -> Report:
        kind, file, text, instead = edit
        whole = verified(kind)
        path = copy_output(whole) / file
        code = path.read_text(encoding="utf-8")
        assert text in code, f"{file} no longer has {text!r}: this fault must be written anew"
        path.write_text(code.replace(text, instead), encoding="utf-8")
        return verify(None, path.parent, trace=whole.numbers, start=ready)

    return judge


@pytest.mark.parametrize("way", USES)
def test_the_way_is_named(judge_edited: Callable[[Edit], Report], way: str) -> None:
    report = judge_edited(USES[way])
    assert report.first_difference is None, "this must not show where the model is looked at"
    assert not report.passed
    assert report.uses[way].differ, report.uses
    # A plain call is also what follows a plain load.
    assert {problem.code for problem in report.problems} <= {"E402", "E403", "E418"}
    assert any(report.uses[way].first in problem.text for problem in report.problems), render_table(report)


@pytest.mark.parametrize("name", TRAINING)
def test_training_is_the_same_too(judge_edited: Callable[[Edit], Report], name: str) -> None:
    report = judge_edited(TRAINING[name])
    assert [problem.code for problem in report.problems] == ["E402"], render_table(report)
    assert report.problems[0].text.startswith("in training mode, with dropout replaced by the identity: ")
    assert ("dropout is applied" in report.problems[0].text) == ("position" not in name)


@pytest.mark.parametrize("field", CONFIGURATION)
def test_what_the_code_makes_of_a_field(judge_edited: Callable[[Edit], Report], field: str) -> None:
    report = judge_edited(CONFIGURATION[field])
    assert any(field in problem.text for problem in report.problems if problem.code == "E407"), render_table(report)


@pytest.mark.parametrize("kind", ERNIE_M_CLASSES)
def test_a_sound_model_is_sound_in_every_use(verified: Callable[[str], Any], kind: str) -> None:
    report = verified(kind).report
    assert report.passed, report.problems
    assert set(report.uses) == {*USES, *MODES, *NOT_RUN, DEFAULT_LOAD}
    # A small table of words would cut the decoder of a masked LM too.
    skipped = {*NOT_RUN, "other embeddings"} if kind == "ErnieMForMaskedLM" else set(NOT_RUN)
    assert {way for way, use in report.uses.items() if use.skipped} == skipped
    assert all(use.compared > 0 for way, use in report.uses.items() if way not in skipped)
