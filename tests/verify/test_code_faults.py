"""Faults in code: whatever is edited in OUTPUT's model or tokenizer is found by what it computes, not by its bytes.

An edited folder is loaded in a process of its own, as a user loads it, and compared with the cases of the trace until
one differs. Some edits go through `verify` itself, which does the same without stopping.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.support.code_edits import EDITS, MODEL, TOKENIZER, Edit
from verify import verify
from verify.numbers.pytorch_process import Start
from verify.results.layout import FOLDER
from verify.results.trace import read_trace
from verify.self_test.faults import Fault
from verify.self_test.run import ask_process

CLASSES = sorted({edit[0] for edit in EDITS.values()})
#: The ways by which a folder's tokenizer is another than the trace's.
COMPARE = """
import json, sys
from pathlib import Path
from verify.results.trace import read_trace
from verify.tokens.compare_tokens import compare_tokens
trace, output = map(Path, sys.argv[1:])
print(json.dumps([way for way, (_, wrong) in compare_tokens(read_trace(trace), output).ways.items() if wrong]))
"""


def copy_edited(output: Path, folder: Path, edit: Edit | None) -> Path:
    """Links to all of OUTPUT but to the file that is edited."""
    folder.mkdir(parents=True)
    for path in output.iterdir():
        if path.name != FOLDER:
            os.symlink(path, folder / path.name)
    if edit is not None:
        _, file, text, instead = edit
        whole = (output / file).read_text(encoding="utf-8")
        assert text in whole, f"{file} no longer has {text!r}: this fault must be written anew"
        (folder / file).unlink()
        (folder / file).write_text(whole.replace(text, instead), encoding="utf-8")
        compile((folder / file).read_text(encoding="utf-8"), file, "exec")
    return folder


def edited_files(kind: str) -> set[str]:
    """The files that the edits of a class are in."""
    return {edit[1] for edit in EDITS.values() if edit[0] == kind}


@pytest.fixture(scope="session")
def places(
    verified: Callable[[str], Any], ready: Start, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], dict[str, dict[str, str]]]:
    """For a class, where each of its edits shows; "unedited" is a copy without one."""
    known: dict[str, dict[str, dict[str, str]]] = {}

    def get(kind: str) -> dict[str, dict[str, str]]:
        if kind not in known:
            whole, folder = verified(kind), tmp_path_factory.mktemp("edited")
            edits: dict[str, Edit | None] = {name: edit for name, edit in EDITS.items() if edit[0] == kind}
            edits.update({f"unedited {file}": None for file in edited_files(kind)})
            faults = []
            for number, (name, edit) in enumerate(edits.items()):
                file = name.split()[-1] if edit is None else edit[1]
                copy = copy_edited(whole.output, folder / f"edit_{number}", edit)
                faults.append(Fault("code", f"{file}: {name}", folder=str(copy)))
            trace = read_trace(whole.trace)
            found = ask_process(whole.output, trace, faults, "paddlenlp", folder, lambda text: None, ready)
            known[kind] = {name: one.shown for name, one in zip(edits, found)}
        return known[kind]

    return get


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_is_found(places: Callable[[str], dict[str, dict[str, str]]], name: str) -> None:
    kind, file, _, _ = EDITS[name]
    shown = places(kind)[name]
    assert any(shown.values()), shown
    # Code that does not even load would be found without any comparison: that is not what these edits are.
    assert not any(place.startswith("loading") for place in shown.values()), shown
    assert set(shown) == ({"eager", "sdpa"} if file == MODEL else {"tokens"})


@pytest.mark.parametrize("kind", CLASSES)
def test_what_is_not_edited_is_not_found(places: Callable[[str], dict[str, dict[str, str]]], kind: str) -> None:
    shown, nowhere = places(kind), {MODEL: {"eager": "", "sdpa": ""}, TOKENIZER: {"tokens": ""}}
    assert MODEL in edited_files(kind)
    for file in edited_files(kind):
        assert shown[f"unedited {file}"] == nowhere[file]


def test_the_tokenizer_is_edited_in_one_class() -> None:
    """All classes have the same one; every call of it is compared for each class in test_sound.py."""
    assert [kind for kind in CLASSES if TOKENIZER in edited_files(kind)] == ["ErnieMModel"]


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("what is on the left is padded on the right", "padding_on_the_left"),
        ("what is cut on the left is cut on the right", "truncation_on_the_left"),
        ("overflow without its stride", "overflow"),
    ],
)
def test_only_one_way_finds_it(
    verified: Callable[[str], Any], product_python: Path, tmp_path: Path, name: str, way: str
) -> None:
    whole = verified(EDITS[name][0])
    output = copy_edited(whole.output, tmp_path / "output", EDITS[name])
    command = [str(product_python), "-c", COMPARE, str(whole.trace), str(output)]
    environment = {**os.environ, "HF_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [way]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("[PAD] has no gradient", "gradient of"),
        ("the longest text is refused", "case longest"),
        ("one separator in a pair", "pair"),
    ],
)
def test_verify_names_it(verified: Callable[[str], Any], ready: Start, tmp_path: Path, name: str, told: str) -> None:
    whole = verified(EDITS[name][0])
    output = copy_edited(whole.output, tmp_path / "output", EDITS[name])
    trace = whole.trace if EDITS[name][1] == TOKENIZER else whole.numbers
    report = verify(whole.source, output, trace=trace, start=ready)
    assert not report.passed
    assert told in "\n".join(problem.text for problem in report.problems if problem.code in ("E402", "E403", "E407"))
    assert any("is not the file that was written" in warning for warning in report.warnings)
