"""A part that the config turns off: no warning where the file lacks it, one where the file has it or should."""

from __future__ import annotations

from pathlib import Path

import pytest

from converter.open.source import open_source
from converter.plan.make_plan import make_plan
from tests.support.checkpoints import make_config, make_state, write_folder

TASKS = "embeddings.task_type_embeddings.weight"


@pytest.mark.parametrize(
    ("switch", "there", "warned"),
    [(False, False, ""), (False, True, "not converted: "), (True, False, "missing: "), (True, True, "")],
)
def test_task_types(tmp_path: Path, switch: bool, there: bool, warned: str) -> None:
    state = make_state("ErnieModel")
    assert TASKS in state
    if not there:
        del state[TASKS]
    source = open_source(write_folder(tmp_path, state, make_config("ErnieModel", use_task_id=switch)))
    warnings = [line for line in make_plan(source).warnings if TASKS in line]
    assert len(warnings) == bool(warned) and all(line.startswith(warned) for line in warnings)
