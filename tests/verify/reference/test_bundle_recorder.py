"""The recorder, put together into one file for machines that have nothing of this project."""

from __future__ import annotations

import ast
import hashlib
import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from converter.cli import app
from converter.common.errors import OutputError
from converter.conversion import convert
from tests.support.train_tokenizer import SENTENCES
from verify import verify
from verify.numbers.pytorch_process import Start
from verify.recorder.tokens.sentences import read_texts
from verify.reference.bundle_recorder import RECORDER, bundle_recorder, write_recorder

_ROOT = Path(__file__).resolve().parents[3]
_OURS = ("converter", "mappings", "verify", "ernie_m")


def _modules() -> dict[str, ast.Module]:
    """Name in the archive -> what it is in the grammar of Python 3.7."""
    with zipfile.ZipFile(io.BytesIO(bundle_recorder())) as archive:
        names = [name for name in archive.namelist() if name.endswith(".py")]
        return {name: ast.parse(archive.read(name), feature_version=(3, 7)) for name in names}


def test_the_same_files_give_the_same_bytes_and_every_module_is_in_it() -> None:
    assert bundle_recorder() == bundle_recorder()
    files = [path for room in ("recorder", "protocol") for path in (_ROOT / "verify" / room).rglob("*.py")]
    expected = {path.relative_to(_ROOT).as_posix() for path in files} | {"__main__.py", "verify/__init__.py"}
    assert set(_modules()) == expected and len(expected) > 30


def test_it_is_python_3_7_and_needs_nothing_of_ours_but_itself() -> None:
    nodes = [node for tree in _modules().values() for node in ast.walk(tree)]
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    roots = {name.split(".")[0] for name in imported}
    standard = {"__future__", "typing", "hashlib", "json", "os", "platform", "sys", "pickle", "re", "zlib"}
    standard |= {"argparse", "collections", "inspect", "io", "shutil", "tempfile", "unicodedata", "zipfile"}
    standard |= {"contextlib", "dataclasses", "functools", "importlib", "multiprocessing", "pkgutil", "time", "types"}
    assert roots <= standard | {"verify", "numpy", "paddle", "paddlenlp", "safetensors", "sentencepiece"}
    rooms = {".".join(name.split(".")[:2]) for name in imported if name.startswith("verify")}
    assert rooms == {"verify.protocol", "verify.recorder"}


def test_protocol_imports_only_itself_and_only_the_bundle_reads_the_recorder() -> None:
    for path in [path for root in _OURS for path in (_ROOT / root).rglob("*.py")]:
        nodes = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.ImportFrom)]
        ours = {node.module or "" for node in nodes if (node.module or "").split(".")[0] in _OURS}
        parts = path.relative_to(_ROOT).parts
        if parts[:2] == ("verify", "protocol"):
            assert all(name.startswith("verify.protocol") for name in ours), path
        elif parts[:2] != ("verify", "recorder"):
            assert not any(name.startswith("verify.recorder") for name in ours), path


def test_only_adapters_know_a_family() -> None:
    """No other file of the recorder has a class, a tensor, a file or a quirk of a family in it."""
    words = re.compile(r"(?i)ernie|uiem|self_attn|q_proj|norm1\b|piece\.model|bpe\.model|word_embeddings")
    for path in (_ROOT / "verify" / "recorder").rglob("*.py"):
        if "families" not in path.parts:
            assert [word for word in words.findall(path.read_text("utf-8"))] == [], path


def _run(*words: object, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    return subprocess.run([python, *map(str, words)], capture_output=True, text=True, check=False)


def _written(folder: Path) -> Path:
    write_recorder(folder / RECORDER)
    return folder / RECORDER


def test_the_sentences_are_in_it(tmp_path: Path) -> None:
    script = (
        "import json, sys; sys.path.insert(0, sys.argv[1]); import verify.recorder.tokens.sentences as found;"
        "texts = found.read_texts(None); print(json.dumps([texts, found.texts_sha256(texts), found.__file__]))"
    )
    texts, digest, place = json.loads(_run("-c", script, _written(tmp_path)).stdout)
    assert texts == read_texts(None) == read_texts(str(SENTENCES)) and RECORDER in place
    assert digest == hashlib.sha256(SENTENCES.read_bytes()).hexdigest()


def test_it_says_how_it_is_used(tmp_path: Path) -> None:
    said = _run(_written(tmp_path), "--help")
    assert said.returncode == 0 and "SOURCE TRACE" in " ".join(said.stdout.split())
    assert "a pickle may run code" in " ".join(said.stdout.split())
    assert _run(_written(tmp_path)).returncode == 2


def test_it_replaces_only_itself(tmp_path: Path) -> None:
    path = _written(tmp_path)
    write_recorder(path)
    assert path.read_bytes() == bundle_recorder() and len(list(tmp_path.iterdir())) == 1
    path.write_text("my own")
    with pytest.raises(OutputError, match=r"E501.*record_paddle\.pyz exists"):
        write_recorder(path)
    assert path.read_text() == "my own"


def test_a_trace_that_is_there_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "trace").write_text("mine")
    said = _run(_written(tmp_path), tmp_path, tmp_path / "trace")
    assert said.returncode == 3 and said.stdout == ""
    assert said.stderr == f"error: {tmp_path / 'trace'} is there already; name another file\n"


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "python"
    python.write_text("""#!/bin/sh\necho '{"paddlepaddle": "3.3.1", "paddlenlp": "2.8.1"}'\n""")
    python.chmod(0o755)
    monkeypatch.setenv("PADDLE2TORCH_PADDLE_PYTHON", str(python))
    run = CliRunner().invoke
    assert run(app, ["reference", "script"]).stdout_bytes == bundle_recorder()
    assert run(app, ["reference", "path"]).output.strip() == str(python)
    assert json.loads(run(app, ["reference", "path", "--json"]).output) == {"python": str(python)}
    assert run(app, ["reference", "script", str(tmp_path / "x.py")]).exit_code == 0 and (tmp_path / "x.py").is_file()
    monkeypatch.setenv("PADDLE2TORCH_PADDLE_PYTHON", sys.executable)
    bare = run(app, ["reference", "path"])
    assert bare.exit_code == 2 and f"error[E601]: {sys.executable} has no paddlepaddle and no paddlenlp" in bare.output
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
