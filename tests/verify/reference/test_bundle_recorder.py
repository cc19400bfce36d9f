"""The recorder, put together into one file for machines that have nothing of this project."""

from __future__ import annotations

import ast
import json
import runpy
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from converter.cli import app
from converter.common.errors import OutputError
from converter.conversion import convert
from verify import verify
from verify.numbers.pytorch_process import Start
from verify.reference.bundle_recorder import SENTENCES, join_recorder, write_recorder


def _names(tree: ast.Module) -> list[str]:
    named = [node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    targets = [node.targets[0] for node in tree.body if isinstance(node, ast.Assign)]
    return named + [target.id for target in targets if isinstance(target, ast.Name)]


def test_no_two_modules_have_the_same_name() -> None:
    names = Counter(_names(ast.parse(join_recorder())))
    assert names["Designer"] == names["main"] == 1
    assert [name for name, times in names.items() if times > 1] == []


def test_it_is_python_3_7_and_needs_nothing_of_ours() -> None:
    tree = ast.parse(join_recorder(), feature_version=(3, 7))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    roots = {name.split(".")[0] for name in imported}
    standard = {"__future__", "typing", "hashlib", "json", "os", "platform", "sys", "pickle", "re", "zlib"}
    standard |= {"argparse", "collections", "inspect", "io", "shutil", "tempfile", "unicodedata", "zipfile"}
    assert roots <= standard | {"numpy", "paddle", "paddlenlp", "safetensors", "sentencepiece"}


def _run(*words: object, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    return subprocess.run([python, *map(str, words)], capture_output=True, text=True, check=False)


def _written(folder: Path) -> Path:
    write_recorder(folder / "record_paddle.py")
    return folder / "record_paddle.py"


def test_the_sentences_are_in_it(tmp_path: Path) -> None:
    recorder = runpy.run_path(str(_written(tmp_path)))
    assert recorder["read_texts"](None) == recorder["read_texts"](SENTENCES)
    assert recorder["texts_sha256"](recorder["read_texts"](None)) == recorder["file_sha256"](SENTENCES)


def test_it_says_how_it_is_used(tmp_path: Path) -> None:
    said = _run(_written(tmp_path), "--help")
    assert said.returncode == 0 and "SOURCE TRACE" in " ".join(said.stdout.split())
    assert "a pickle may run code" in " ".join(said.stdout.split())
    assert _run(_written(tmp_path)).returncode == 2


def test_it_replaces_only_itself(tmp_path: Path) -> None:
    path = _written(tmp_path)
    write_recorder(path)
    assert path.read_text(encoding="utf-8") == join_recorder() and len(list(tmp_path.iterdir())) == 1
    path.write_text("my own")
    with pytest.raises(OutputError, match=r"E501.*record_paddle\.py exists"):
        write_recorder(path)
    assert path.read_text() == "my own"


def test_a_trace_that_is_there_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "trace").write_text("mine")
    said = _run(_written(tmp_path), tmp_path, tmp_path / "trace")
    assert said.returncode == 3 and "@error" in said.stdout and "is there already" in said.stdout


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PADDLE2TORCH_PADDLE_PYTHON", sys.executable)
    run = CliRunner().invoke
    assert run(app, ["reference", "script"]).output == join_recorder()
    assert run(app, ["reference", "path"]).output.strip() == sys.executable
    assert json.loads(run(app, ["reference", "path", "--json"]).output) == {"python": sys.executable}
    assert run(app, ["reference", "script", str(tmp_path / "x.py")]).exit_code == 0 and (tmp_path / "x.py").is_file()
    monkeypatch.setenv("PADDLE2TORCH_PADDLE_PYTHON", str(tmp_path / "none"))
    said = run(app, ["reference", "path"])
    assert said.exit_code == 2 and "error[E601]" in said.output


def test_recorded_by_hand_and_judged_here(
    checkpoints: dict[str, Path], paddle_python: Path, ready: Start, tmp_path: Path
) -> None:
    """As on a machine that has PaddleNLP and the script, and nothing else of ours."""
    source = checkpoints["UIEM"]
    recorded = _run(_written(tmp_path), source, tmp_path / "trace", python=str(paddle_python))
    assert recorded.returncode == 0, recorded.stdout + recorded.stderr
    convert(source, tmp_path / "out")
    report = verify(None, tmp_path / "out", trace=tmp_path / "trace", start=ready)
    assert report.passed and report.checked == ["weights", "numbers", "tokens"], report.problems
