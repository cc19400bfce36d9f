"""Every command and every Python example of README.md and docs/ runs, in the order in which a reader meets them."""

from __future__ import annotations

import json
import os
import pickle
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from converter.cli import app
from mappings import load_family
from tests.documents.blocks import Block, prints, read_blocks
from tests.support.checkpoints import make_config, make_state, write_folder
from tests.support.classes import ERNIE_CLASSES
from tests.support.local_hub import running
from tests.support.train_tokenizer import train_tokenizer
from tests.support.uie_folders import read_vocabulary, state_that_finds, write_small_vocabulary

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
WITH_COMMANDS = [name for name in DOCUMENTS if read_blocks(ROOT / name)]
#: The folders that the documents speak of. Those of UIE take long texts; `verify` compares every length that a model
#: takes.
CHECKPOINTS = {
    "my-ernie-m": "ErnieMModel",
    "my-classifier": "ErnieMForSequenceClassification",
    "my-tagger": "ErnieMForTokenClassification",
    "my-chooser": "ErnieMForMultipleChoice",
    "my-uie": "UIEM",
    "my-release": "ErnieMForMaskedLM",
    "my-ernie-3.0": "ErnieModel",
    "my-uie-base": "UIE",
}
#: What is refused.
BAD = ("from-a-stranger", "cut-off")
#: Of ERNIE's vocabulary, which has every character of these.
TEXTS = [(ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/uie.md", "docs/families.md")]
SIZES = {
    "vocab_size": 2002,
    "hidden_size": 16,
    "max_position_embeddings": 66,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}
#: `pip` and `make` stand in for themselves: `make pythons` installs the wheel and CI runs the targets; here the extras
#: and the targets that a document names must exist.
PIP = r"""#!{python}
import re, sys, tomllib
project = tomllib.load(open("{root}/pyproject.toml", "rb"))["project"]
assert sys.argv[1] == "install", sys.argv
for word in sys.argv[2:]:
    found = re.match(r"(?:\.|paddle2torch)(?:\[([\w,]+)\])?$", word)
    extras = set((found[1] or "").split(",")) - {{""}} if found else set()
    assert extras <= set(project["optional-dependencies"]), f"{{word}}: there is no such extra"
"""
#: `verify` and the examples in Python need torch: an interpreter that has it imported already. What documents compare,
#: often the same, is compared once. The end-to-end tests start the real interpreter.
PADDLE2TORCH = """#!/bin/sh
[ "$1" = verify ] && exec "{forked}" -m converter "$@"
exec "{python}" -m converter "$@"
"""
MAKE = """#!/bin/sh
exec {make} --no-print-directory -n -C "{root}" "$@" > /dev/null
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoints that the documents name, small, with a tokenizer."""
    pytest.importorskip("sentencepiece")
    folder = tmp_path_factory.mktemp("models")
    for name, architecture in CHECKPOINTS.items():
        sizes = {**SIZES, "max_position_embeddings": 514} if architecture in ("UIE", "UIEM") else SIZES
        if architecture in ERNIE_CLASSES:
            write_small_vocabulary(folder / name, (word for text in TEXTS for word in text.split()))
            vocabulary = read_vocabulary(folder / name)
            sizes = {**sizes, "vocab_size": len(vocabulary)}
        else:
            train_tokenizer(folder / name)
        config = make_config(architecture, **sizes, intermediate_size=4 * SIZES["hidden_size"])
        state = make_state(architecture, **sizes)
        if architecture == "UIE":
            state = state_that_finds(state, vocabulary, ("谷", "steve"), ("凌", "steve"))
        if name == "my-release":
            state, config = in_release(state), {}
        write_folder(folder / name, state, config, architecture=architecture)
        if not config:
            (folder / name / "ernie_config.json").write_text(json.dumps(make_config(**SIZES, model_type=...)))
    write_bad_ones(folder)
    return folder


def write_bad_ones(folder: Path) -> None:
    """A folder whose weights are a program, and one that lacks tensors."""
    for name in BAD:
        shutil.copytree(folder / "my-ernie-m", folder / name)
    (folder / "from-a-stranger" / "model_state.pdparams").write_bytes(b"\x80\x02cposix\nsystem\n(X\x02\0\0\0idtR.")
    path = folder / "cut-off" / "model_state.pdparams"
    state = pickle.loads(path.read_bytes())
    kept = {name: array for name, array in state.items() if not name.endswith("norm1.bias")}
    path.write_bytes(pickle.dumps(kept, protocol=4))


def in_release(state: dict[str, Any]) -> dict[str, Any]:
    """A masked LM under the names of the 2021 release."""
    release = load_family("ernie_m").release
    rows = [row for row in (*release.names, *release.pretraining_heads) if row.key is not None]
    named = {}
    for key, array in state.items():
        bare = key.removeprefix("ernie_m.")
        found = ((row, row.key.match(bare)) for row in rows if row.key is not None)
        row, values = next(((row, values) for row, values in found if values is not None), (None, None))
        if row is not None:
            named[row.key.translate(values, row.stored)] = array
    return named


@pytest.fixture
def desk(
    models: Path, paddle_python: Path, comparing_python: Path, tmp_path: Path
) -> Iterator[tuple[Path, dict[str, str]]]:
    """A folder with links to the checkpoints, and an environment in which the documents' commands are found."""
    tools, place = tmp_path / "bin", tmp_path / "desk"
    tools.mkdir()
    place.mkdir()
    texts = {
        "paddle2torch": PADDLE2TORCH.format(forked=comparing_python, python=sys.executable),
        "python": f'#!/bin/sh\nexec "{sys.executable}" "$@"\n',
        "pip": PIP.format(python=sys.executable, root=ROOT),
        "make": MAKE.format(make=shutil.which("make"), root=ROOT),
    }
    for name, text in texts.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    for name in (*CHECKPOINTS, *BAD):
        (place / name).symlink_to(models / name)
    environment = {
        **os.environ,
        "PATH": f"{tools}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "PADDLE2TORCH_PADDLE_PYTHON": str(paddle_python),
        "PADDLE2TORCH_CACHE": str(tmp_path / "cache"),
        "HF_HOME": str(tmp_path / "hub"),
        "HF_TOKEN": "hf_local_token",
        "HF_HUB_DISABLE_XET": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    environment.pop("HF_HUB_OFFLINE", None)
    with running() as hub:  # What a document publishes goes here, and nothing goes elsewhere.
        yield place, {**environment, "HF_ENDPOINT": hub.url}


def run(block: Block, python: Path, place: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = ["bash", "-euo", "pipefail", "-c"] if block.language == "sh" else [str(python), "-c"]
    return subprocess.run(
        [*command, block.body], cwd=place, env=environment, capture_output=True, text=True, check=False, timeout=300
    )


@pytest.mark.parametrize("name", WITH_COMMANDS)
def test_every_command_runs(name: str, comparing_python: Path, desk: tuple[Path, dict[str, str]]) -> None:
    for block in read_blocks(ROOT / name):
        done = run(block, comparing_python, *desk)
        said = f"{done.stdout}\n{done.stderr}"[-3000:]
        where = f"{name}, line {block.line}"
        assert done.returncode == block.code, f"{where}, ended with {done.returncode}:\n{block.body}\n{said}"
        assert re.search(block.prints, done.stdout), f"{where}, printed no {block.prints}:\n{said}"
        printed = f"{done.stdout}\n{done.stderr}"
        assert not block.printed or prints(block.printed, printed), (
            f"{where}: this is not printed:\n{block.printed}\n{said}"
        )


def test_output_that_a_document_shows_is_compared_but_for_its_numbers() -> None:
    output = "a line\nwrote out: 12 tensors,  1.1 GB, 4.9 s\n\nnext:   b\nend\n"
    assert prints("wrote out: 3 tensors, 200 bytes, 0.1 s\n\nnext: b\n", output)
    assert prints("a line\n...\nend\n", output)
    assert not prints("wrote out: 3 tensor, 200 bytes, 0.1 s\n", output)
    assert not prints("wrote out: 3 tensors, 200 bytes, 0.1 s\nnext: b\n", output)
    assert not prints("rote out: 3 tensors, 200 bytes, 0.1 s\n", output)


def options_of(command: Any) -> set[str]:
    """All long options of a command and of those below it."""
    found = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    for below in getattr(command, "commands", {}).values():
        found |= options_of(below)
    return found | {"--help"}


def test_every_option_that_a_document_names_exists() -> None:
    """Options stand in tables too, where nothing runs them."""
    known = options_of(typer.main.get_command(app))
    for path in (ROOT / "examples").glob("*.py"):
        known |= set(re.findall(r'add\(\s*"(--[a-z-]+)"', path.read_text(encoding="utf-8")))
    assert {"--force", "--dtype", "--trace"} <= known
    for name in DOCUMENTS:
        text = (ROOT / name).read_text(encoding="utf-8")
        # The options of other programs stand on lines that name their program.
        programs = "pip|uv|make|pytest|git|record_paddle|torchrun|parallel|SBATCH|docker|podman"
        others = re.compile(rf"\b({programs})\b|benchmarks[./]|tests[.]support")
        lines = [line for line in text.splitlines() if not others.search(line)]
        named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", "\n".join(lines)))
        assert named <= known, f"{name}: {sorted(named - known)}"
