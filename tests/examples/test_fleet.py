"""examples/fleet_ray.py: many checkpoints on Ray with two workers, and what it does without Ray."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.support.checkpoints import make_config, make_state, write_folder

SCRIPT = ROOT / "examples" / "fleet_ray.py"
RAY_PYTHON = Path(os.environ.get("PADDLE2TORCH_RAY_PYTHON", ROOT / ".venv-ray" / "bin" / "python"))
SIZES = {"vocab_size": 60, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
#: Stands for the command on every machine: verify fails once where a file `killed` lies next to the weights.
COMMAND = r"""#!{python}
import os, signal, sys
from pathlib import Path
sys.path.insert(0, "{root}")
flag = Path(sys.argv[2]) / "killed" if sys.argv[1] == "verify" else Path("nowhere")
if flag.exists():
    flag.unlink()
    os.kill(os.getpid(), signal.SIGKILL)
from converter.__main__ import main
main()
"""


@pytest.fixture(scope="module")
def fleet() -> Any:
    """The example as a module."""
    specification = importlib.util.spec_from_file_location("fleet_ray", SCRIPT)
    assert specification is not None and specification.loader is not None
    module: ModuleType = importlib.util.module_from_spec(specification)
    sys.modules["fleet_ray"] = module
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Two sound checkpoints, one whose verification is killed once, one that is cut off, and a list of them."""
    for name in ("one", "two", "killed-once", "cut-off"):
        write_folder(tmp_path / name, make_state("ErnieMModel", **SIZES), make_config("ErnieMModel", **SIZES))
    (tmp_path / "killed-once" / "killed").touch()
    weights = tmp_path / "cut-off" / "model_state.pdparams"
    weights.write_bytes(weights.read_bytes()[:-2000])
    command = tmp_path / "command"
    command.write_text(COMMAND.format(python=sys.executable, root=ROOT))
    command.chmod(0o755)
    names = ("# ours", "one", "", "two\tsecond", "killed-once", "cut-off")
    (tmp_path / "list.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
    return tmp_path


def test_two_workers_convert_and_verify_a_list_with_retries(place: Path) -> None:
    if not RAY_PYTHON.exists():
        pytest.skip(f"there is no Ray at {RAY_PYTHON}: run `make test-fleet`")
    words = ["list.txt", "out", "--cpus", "1", "--memory", "0.2", "--static-only", "--command", str(place / "command")]
    environment = {**os.environ, "RAY_AUTH_MODE": "disabled", "RAY_TMPDIR": "/tmp"}

    def run() -> subprocess.CompletedProcess[str]:
        command = [str(RAY_PYTHON), str(SCRIPT), *words]
        return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, timeout=300)

    done = run()
    assert done.returncode == 2, done.stderr
    found = {Path(row["output"]).name: row for row in json.loads((place / "out" / "summary.json").read_text())}
    assert {name: (row["verdict"], row["attempts"]) for name, row in found.items()} == {
        "one": ("passed", 1),
        "second": ("passed", 1),
        "killed-once": ("passed", 2),
        "cut-off": ("stopped", 1),
    }
    assert found["cut-off"]["reason"].startswith("E303: ")
    assert done.stdout.splitlines()[-1] == "4 checkpoints: 3 passed, 0 not the same, 1 stopped"
    # Nothing half-written, and nothing of the checkpoint that cannot be converted.
    assert sorted(path.name for path in (place / "out").iterdir()) == ["killed-once", "one", "second", "summary.json"]
    assert all((place / "out" / name / "verification" / "report.json").exists() for name in ("one", "second"))

    # The same command goes on with what is left; a folder of another checkpoint has not passed earlier.
    for name in ("cut-off", "three"):
        shutil.rmtree(place / name, ignore_errors=True)
        shutil.copytree(place / "one", place / name)
    listed = (place / "list.txt").read_text(encoding="utf-8")
    (place / "list.txt").write_text(listed.replace("two\t", "three\t"), encoding="utf-8")
    again = run()
    assert again.returncode == 0, again.stderr
    assert again.stdout.count("verified earlier") == 2


def settings_for(fleet: Any, place: Path, **changes: Any) -> Any:
    fields = {"command": (str(place / "command"),), "convert_options": (), "verify_options": ("--static-only",)}
    return fleet.Settings(**{**fields, "cpus": 1, "attempts": 3, **changes})


def test_a_folder_that_is_not_the_same_model_is_told_from_one_that_could_not_be_made(fleet: Any, place: Path) -> None:
    job = fleet.Job(str(place / "one"), str(place / "out" / "one"))
    (place / "out").mkdir()
    settings = settings_for(fleet, place)
    assert fleet.process(job, settings).verdict == "passed"
    other = {name: 2 * array for name, array in make_state("ErnieMModel", **SIZES).items()}
    write_folder(place / "other", other, make_config("ErnieMModel", **SIZES))
    different = fleet.process(fleet.Job(str(place / "other"), job.output), settings)
    assert different.verdict == "not the same" and different.reason.startswith("E4")
    stopped = fleet.process(fleet.Job(str(place / "cut-off"), str(place / "out" / "cut-off")), settings)
    assert (stopped.verdict, stopped.attempts) == ("stopped", 1)
    table = fleet.summary([fleet.process(job, settings), different, stopped])
    assert [line.split()[0] for line in table.splitlines()[1:4]] == ["stopped", "not", "passed"]
    assert table.endswith("3 checkpoints: 1 passed, 1 not the same, 1 stopped")


def test_only_what_may_pass_is_tried_again(fleet: Any, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet.time, "sleep", lambda seconds: None)
    answers = place / "answers"
    answers.write_text(
        f'#!/bin/sh\necho x >> {place}/tries\necho \'{{"error": [{{"code": "E703", "message": "m"}}]}}\'\nexit 2\n'
    )
    answers.chmod(0o755)
    found = fleet.process(fleet.Job("name", str(place / "out")), settings_for(fleet, place, command=(str(answers),)))
    assert (found.verdict, found.attempts, found.reason) == ("stopped", 3, "E703: m")
    assert (place / "tries").read_text() == "x\n" * 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a/x\nb/x\n", "line 2: a/x has the folder x too"),
        ("a\t../b\n", "line 1: '../b' is not"),
        ("..\n", "'..' is not"),
    ],
)
def test_a_list_whose_folders_collide_or_lead_out_is_refused(
    fleet: Any, tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "list.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match="line") as found:
        fleet.read_jobs(path, tmp_path / "out")
    assert message in str(found.value)
