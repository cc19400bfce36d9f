"""What every test may ask for: interpreters, the real data, checkpoints that PaddleNLP made.

With CI=true nothing may be missing: what would be a skip on a user's machine is a failure there.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.support.cached import TRANSFORMERS4, cache_folder, cached_script, make_cached_checkpoint
from tests.support.cached_answers import RESULTS, TRACES
from tests.support.classes import ERNIE_M_CLASSES
from tests.support.forked_python import forked_python, with_cached_answers
from tests.support.quick import (
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_fixture_setup,
    pytest_ignore_collect,
    quick_guard,
)

__all__ = [
    "pytest_addoption",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_fixture_setup",
    "pytest_ignore_collect",
    "quick_guard",
]

# A test is not wrong because the machine is busy.
settings.register_profile("without deadlines", deadline=None)
settings.load_profile("without deadlines")

# Two workers run on two cores: threads of one would wait for those of the other at every layer of a tiny model (the
# PyTorch side of a verification takes a third of the time without them). Processes that a test starts inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Hundreds of processes import this project, and two runs these tests: both are compiled once, wherever this runs.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"

# tests/transformers4 compares with the ErnieM that only transformers 4 has: `make test-transformers4` runs it.
collect_ignore = [] if importlib.metadata.version("transformers").startswith("4.") else ["transformers4"]
#: What the forked interpreters have imported before the first command.
PADDLE_MODULES = ("paddle", "paddlenlp.transformers", "sentencepiece", "safetensors.numpy")
TRANSFORMERS_MODULES = ("torch", "transformers", "transformers.pipelines")
TORCH_MODULES = (
    *TRANSFORMERS_MODULES,
    "transformers.modeling_layers",
    "transformers.masking_utils",
    "verify.pytorch_entry",
)
if not importlib.metadata.version("transformers").startswith("4."):
    # The first model that is loaded compiles this table, a sixth of a comparison's time.
    TORCH_MODULES += ("transformers.conversion_mapping:get_checkpoint_conversion_mapping:bert",)
IN_CI = os.environ.get("CI", "").lower() == "true"


def missing(reason: str) -> Any:
    """Skip on a user's machine, fail in CI."""
    if IN_CI:
        pytest.fail(f"CI=true and {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def live_paddle_python() -> Path:
    """The interpreter of the reference environment (Paddle and PaddleNLP) itself, for tests of the whole way."""
    named = os.environ.get("PADDLE2TORCH_PADDLE_PYTHON")
    path = Path(named) if named else ROOT / ".venv-paddle" / "bin" / "python"
    if not path.exists():
        missing(f"there is no reference interpreter at {path}: run `make env`")
    return path


@pytest.fixture(scope="session")
def paddle_python(live_paddle_python: Path) -> Iterator[Path]:
    """The same with Paddle imported already: a command takes a fork, not 8 seconds of imports.

    What `verify` has it record is recorded once for the same checkpoint, request and recorder.
    """
    with forked_python(live_paddle_python, PADDLE_MODULES) as program:
        yield with_cached_answers(program, TRACES, cache_folder())


@pytest.fixture(scope="session")
def product_python() -> Iterator[Path]:
    """This interpreter with torch, transformers and the PyTorch side of `verify` imported, forked for each command."""
    pytest.importorskip("torch")
    with forked_python(Path(sys.executable), TORCH_MODULES) as program:
        yield program


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a run keeps what was compared; its workers share the folder around theirs."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def comparing_python(product_python: Path, results: Path) -> Path:
    """The same, and what `verify` has it compare is compared once in a run: an equal OUTPUT with an equal trace."""
    return with_cached_answers(product_python, RESULTS, results)


@pytest.fixture(scope="session")
def run_paddle(paddle_python: Path) -> Callable[..., None]:
    """Call a script of tests/reference/ in the reference interpreter; its output is shown when it fails."""

    def run(script: str, *arguments: object) -> None:
        path = ROOT / "tests" / "reference" / script
        command = [str(paddle_python), str(path), *map(str, arguments)]
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": ""}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600)
        assert done.returncode == 0, f"{script} failed in the reference interpreter:\n{done.stdout}\n{done.stderr}"

    return run


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real vocabulary, sentences and checkpoints that lie beside the project's root."""
    path = SHARED / "data"
    if not path.is_dir():
        missing("../shared/data is not there")
    return path


@pytest.fixture(scope="session")
def transformers4_python() -> Path:
    """An interpreter with transformers 4.57: this one, or the one that `make env` puts beside it."""
    return line_python("4", ".venv-transformers4", "PADDLE2TORCH_TRANSFORMERS4_PYTHON")


@pytest.fixture(scope="session")
def transformers5_python() -> Path:
    """An interpreter with transformers 5: this one, or that of the product's environment."""
    return line_python("5", ".venv", "PADDLE2TORCH_TRANSFORMERS5_PYTHON")


def line_python(line: str, folder: str, variable: str) -> Path:
    if importlib.metadata.version("transformers").startswith(f"{line}."):
        return Path(sys.executable)
    path = Path(os.environ.get(variable) or ROOT / folder / "bin" / "python")
    if not path.exists():
        missing(f"there is no interpreter with transformers {line} at {path}: run `make env`")
    return path


@pytest.fixture(scope="session")
def run_script(product_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Call a script of tests/reference/ outside of this project's folder, with a cache of its own."""
    home, started = tmp_path_factory.mktemp("hf"), {Path(sys.executable): product_python}
    with contextlib.ExitStack() as forked:

        def run(python: Path, script: str, *arguments: object) -> None:
            if python not in started:  # That of the other line of transformers.
                started[python] = forked.enter_context(forked_python(python, TRANSFORMERS_MODULES))
            command = [str(started[python]), str(ROOT / "tests" / "reference" / script), *map(str, arguments)]
            environment = {**os.environ, "HF_HOME": str(home), "HF_HUB_OFFLINE": "1", "PYTHONPATH": ""}
            done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=home, timeout=300)
            assert done.returncode == 0, f"{script} failed in {python}:\n{done.stdout}\n{done.stderr}"

        yield run


@pytest.fixture(scope="session")
def port_numbers(transformers4_python: Path, run_script: Any) -> Path:
    """What transformers 4.57's own ErnieM computes (tests/reference/port_numbers.py); nobody may change it."""
    run = functools.partial(run_script, transformers4_python)
    return cached_script(run, "port_numbers.py", name="port", pins=TRANSFORMERS4)


@pytest.fixture(scope="session")
def port_files(port_numbers: Path, transformers4_python: Path, run_script: Any) -> Path:
    """A checkpoint of it in every form that it saves; nobody may change it."""
    run, saved = functools.partial(run_script, transformers4_python), port_numbers / "ErnieMForSequenceClassification"
    return cached_script(run, "port_files.py", saved, name="forms", pins=TRANSFORMERS4)


@pytest.fixture(scope="session")
def make_checkpoint(paddle_python: Path) -> Callable[..., None]:
    """What tests/support/make_checkpoint.py makes with these arguments, from the cache if it was made before."""
    return checkpoint_maker(paddle_python, "make_checkpoint.py")


@pytest.fixture(scope="session")
def make_ernie_checkpoint(paddle_python: Path) -> Callable[..., None]:
    """The same of tests/support/make_ernie_checkpoint.py."""
    return checkpoint_maker(paddle_python, "make_ernie_checkpoint.py")


def checkpoint_maker(python: Path, script: str) -> Callable[..., None]:
    """A function that makes checkpoints by this script of tests/support/."""

    def run(*arguments: object) -> None:
        command = [str(python), str(ROOT / "tests" / "support" / script), *map(str, arguments)]
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": ""}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
        assert done.returncode == 0, done.stderr

    def make(output: Path, *options: object, tokenizer: Path | None = None) -> None:
        make_cached_checkpoint(run, output, *options, tokenizer=tokenizer, script=script)

    return make


@pytest.fixture(scope="session")
def tokenizer_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small tokenizer, trained on the project's own sentences."""
    pytest.importorskip("sentencepiece")
    from tests.support.train_tokenizer import train_tokenizer

    return train_tokenizer(tmp_path_factory.mktemp("tokenizer"), 1500)


@pytest.fixture(scope="session")
def checkpoints(
    make_checkpoint: Callable[..., None], tokenizer_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """name -> a PaddleNLP folder: the six classes, with a tokenizer."""
    folder = tmp_path_factory.mktemp("checkpoints")
    make_checkpoint(folder, "--architecture", "all", "--seed", 3, tokenizer=tokenizer_folder)
    return {name: folder / name for name in ERNIE_M_CLASSES}
