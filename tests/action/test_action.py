"""action.yml has the form that GitHub requires, and the commands of its steps work in bash.

The form is that of https://www.schemastore.org/github-action.json, as far as a composite action uses it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from converter.conversion import convert
from tests.support.checkpoints import write_folder

ROOT = Path(__file__).resolve().parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
NAMED = re.compile(r"inputs\.([\w-]+)")


def step(name: str) -> dict[str, Any]:
    return next(step for step in STEPS if step["name"] == name)


def test_the_form() -> None:
    assert set(ACTION) == {"name", "description", "author", "branding", "inputs", "outputs", "runs"}
    assert ACTION["branding"]["color"] == "green" and ACTION["runs"]["using"] == "composite"
    assert len(ACTION["description"]) <= 125  # What the marketplace takes.
    for name, entry in ACTION["inputs"].items():
        assert re.fullmatch(r"[a-z][a-z-]*", name)
        assert set(entry) <= {"description", "required", "default"} and isinstance(entry["description"], str)
        assert entry["required"] is True or isinstance(entry["default"], str)
    for entry in ACTION["outputs"].values():
        assert set(entry) == {"description", "value"}
    for entry in STEPS:
        assert set(entry) <= {"name", "id", "if", "uses", "with", "run", "shell", "env"}
        assert ("run" in entry) != ("uses" in entry)
        assert ("run" in entry) == ("shell" in entry)


def test_used_actions_are_pinned_by_commit_with_their_version_beside_it() -> None:
    lines = re.findall(r"^ *uses: (.+)$", (ROOT / "action.yml").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(lines) == sum("uses" in entry for entry in STEPS) == 2
    for line in lines:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", line), line


def test_every_input_is_used_and_every_name_is_known() -> None:
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    assert set(NAMED.findall(text)) == set(ACTION["inputs"])
    known = {entry["id"] for entry in STEPS if "id" in entry}
    assert set(re.findall(r"steps\.(\w+)\.", text)) == known
    written = set(re.findall(r'echo "([\w-]+)=', step("Verify")["run"]))
    assert set(re.findall(r"outputs\.([\w-]+)", text)) == written == set(ACTION["outputs"])


def test_no_input_is_text_of_a_script() -> None:
    assert not any("${{" in entry.get("run", "") for entry in STEPS)


def run_step(name: str, folder: Path, **inputs: str) -> tuple[int, str, dict[str, str]]:
    """Run a step as GitHub's runner does. Returns its exit status, the job's summary and the step's outputs."""
    given = {key: entry.get("default", "") for key, entry in ACTION["inputs"].items()}
    given.update({key.replace("_", "-"): value for key, value in inputs.items()})
    summary, outputs, tools = folder / "summary.md", folder / "outputs", folder / "bin"
    for path in (summary, outputs):
        path.write_text("")
    tools.mkdir(exist_ok=True)
    for tool, words in (("paddle2torch", "-m converter"), ("python", "")):
        (tools / tool).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n')
        (tools / tool).chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tools}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "RUNNER_TEMP": str(folder),
        "GITHUB_STEP_SUMMARY": str(summary),
        "GITHUB_OUTPUT": str(outputs),
        "GITHUB_ACTION_PATH": str(ROOT),
    }
    for key, value in step(name).get("env", {}).items():
        environment[key] = given[NAMED.search(value)[1]]  # type: ignore[index]
    script = folder / "step.sh"
    script.write_text(step(name)["run"])
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=300)
    (folder / "log").write_text(done.stdout)
    found = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
    return done.returncode, summary.read_text(encoding="utf-8"), found


def annotations(folder: Path) -> list[str]:
    """What the step told GitHub to show on the pull request."""
    return [line for line in (folder / "log").read_text(encoding="utf-8").splitlines() if line.startswith("::")]


@pytest.fixture
def converted(tmp_path: Path) -> tuple[str, str]:
    """Names with a space and a quote in them, which must stay one word."""
    source, output = write_folder(tmp_path / "the 'source"), tmp_path / "the output; echo"
    convert(source, output)
    return str(source), str(output)


def test_a_pass(converted: tuple[str, str], tmp_path: Path) -> None:
    source, output = converted
    status, summary, outputs = run_step("Verify", tmp_path, source=source, output=output, static_only="true")
    assert status == 0
    assert outputs == {"passed": "true", "exit-code": "0", "report": str(tmp_path / "paddle2torch-report")}
    assert summary.startswith("## ⚠️ PASSED: nothing wrong in what was looked at")
    assert "| weights | 38 tensors | 0 differ | 0 | ok |" in summary
    assert annotations(tmp_path)[0].startswith("::warning title=paddle2torch::PASSED")
    names = {path.name for path in (tmp_path / "paddle2torch-report").iterdir()}
    assert names == {"report.html", "report.json", "junit.xml"}


def test_a_failure_is_told_after_the_report_is_kept(converted: tuple[str, str], tmp_path: Path) -> None:
    """The step itself goes on, so that the report is uploaded; the last one ends the job."""
    source, output = converted
    (Path(output) / "paddle2torch.json").unlink()
    status, summary, outputs = run_step(
        "Verify", tmp_path, source=source, output=output, static_only="true", report=str(tmp_path / "kept")
    )
    assert status == 0
    assert outputs == {"passed": "false", "exit-code": "1", "report": str(tmp_path / "kept")}
    assert summary.startswith("## ❌ FAILED") and "paddle2torch.json is lost" in summary
    found = annotations(tmp_path)
    assert found[0].startswith("::error title=paddle2torch::FAILED: ")
    assert any(line.startswith("::error title=paddle2torch%3A E406::") for line in found), found


def test_what_cannot_be_judged_is_no_verdict(converted: tuple[str, str], tmp_path: Path) -> None:
    """Nor does the report of an earlier run pass for one."""
    source, output = converted
    run_step("Verify", tmp_path, source=source, output=output, static_only="true")
    status, summary, outputs = run_step("Verify", tmp_path, trace=str(tmp_path / "missing"), output=output)
    assert status == 0
    assert (outputs["passed"], outputs["exit-code"]) == ("", "2")
    assert summary.startswith("## ⚠️ There is no verdict") and "no such trace" in summary
    (line,) = annotations(tmp_path)
    assert line.startswith("::error title=paddle2torch%3A no verdict::error[E60") and "no such trace" in line
    assert not (tmp_path / "paddle2torch-report" / "report.json").exists()


@pytest.mark.parametrize("code", [0, 1, 2])
def test_the_verdict_ends_the_job(tmp_path: Path, code: int) -> None:
    done = subprocess.run(["bash", "-eo", "pipefail", "-c", step("Verdict")["run"]], env={"CODE": str(code)})
    assert done.returncode == code


@pytest.mark.parametrize(
    ("static_only", "arguments", "expected"),
    [
        ("false", "", ["-m", "pip", "install", f"{ROOT}[torch]"]),
        ("true", "--index-url X", ["-m", "pip", "install", str(ROOT), "--index-url", "X"]),
    ],
)
def test_what_is_installed(tmp_path: Path, static_only: str, arguments: str, expected: list[str]) -> None:
    script, tool = tmp_path / "step.sh", tmp_path / "python"
    script.write_text(step("Install paddle2torch")["run"])
    tool.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    tool.chmod(0o755)
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "GITHUB_ACTION_PATH": str(ROOT),
        "STATIC_ONLY": static_only,
        "PIP_ARGUMENTS": arguments,
    }
    done = subprocess.run(["bash", "-eo", "pipefail", str(script)], env=environment, capture_output=True, text=True)
    assert done.stdout.splitlines() == expected


def test_the_reference_is_made_by_a_command_that_there_is() -> None:
    """The step names a command of this very tool."""
    words = step("Make the reference environment")["run"].split()
    done = subprocess.run(
        [sys.executable, "-m", "converter", *words[1:], "--help"], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr


def test_the_documents_example_names_inputs_that_there_are() -> None:
    """docs/ci.md: the job that it shows, and its table of inputs."""
    text = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    job = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)[0])
    given = job["jobs"]["same-model"]["steps"][1]["with"]
    needed = {name for name, entry in ACTION["inputs"].items() if entry["required"] is True}
    assert needed <= set(given) <= set(ACTION["inputs"])
    rows = re.findall(r"^\| (`.+?`) \| ", text, re.MULTILINE)
    assert set(re.findall(r"`([\w-]+)`", " ".join(rows))) == set(ACTION["inputs"])
