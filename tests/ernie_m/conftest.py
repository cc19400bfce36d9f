"""Paddle's numbers, recorded once in a session, and our models with the same weights."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

import ernie_m
from tests.ernie_m.recorded_numbers import Reference, relative_difference

torch.set_num_threads(1)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def reference(run_paddle: Any, tmp_path_factory: pytest.TempPathFactory) -> Reference:
    path = tmp_path_factory.mktemp("paddle") / "model_numbers.npz"
    run_paddle("model_numbers.py", path)
    return Reference(path)


@pytest.fixture
def difference() -> Any:
    """The largest difference, relative to the largest value that Paddle has at that site."""
    return relative_difference


@pytest.fixture
def tiny() -> Any:
    """A configuration of a very small model; its weights are random and large enough to be sensitive."""

    def make(class_name: str = "ErnieMModel", seed: int = 0, **fields: Any) -> Any:
        defaults: dict[str, Any] = dict(
            vocab_size=60,
            hidden_size=16,
            num_attention_heads=4,
            num_hidden_layers=2,
            max_position_embeddings=20,
            initializer_range=0.5,
        )
        torch.manual_seed(seed)
        return getattr(ernie_m, class_name)(ernie_m.ErnieMConfig(**{**defaults, **fields})).eval()

    return make


@pytest.fixture(scope="session")
def transformers4_python(pytestconfig: pytest.Config) -> Path:
    """An interpreter with transformers 4.57: this one, or the one that `make env` puts beside it."""
    return line_python(pytestconfig, "4", ".venv-transformers4", "PADDLE2TORCH_TRANSFORMERS4_PYTHON")


@pytest.fixture(scope="session")
def transformers5_python(pytestconfig: pytest.Config) -> Path:
    """An interpreter with transformers 5: this one, or that of the product's environment."""
    return line_python(pytestconfig, "5", ".venv", "PADDLE2TORCH_TRANSFORMERS5_PYTHON")


def line_python(config: pytest.Config, line: str, folder: str, variable: str) -> Path:
    if transformers.__version__.startswith(f"{line}."):
        return Path(sys.executable)
    path = Path(os.environ.get(variable) or ROOT / folder / "bin" / "python")
    if not path.exists():
        suite = config.pluginmanager.get_plugin(str(ROOT / "tests" / "conftest.py"))
        suite.missing(f"there is no interpreter with transformers {line} at {path}: run `make env`")  # type: ignore[union-attr]
    return path


@pytest.fixture(scope="session")
def run_script(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Call a script of tests/reference/ in an interpreter that does not see this project, with a cache of its own."""
    home = tmp_path_factory.mktemp("hf")

    def run(python: Path, script: str, *arguments: object) -> None:
        command = [str(python), str(ROOT / "tests" / "reference" / script), *map(str, arguments)]
        environment = {**os.environ, "HF_HOME": str(home), "HF_HUB_OFFLINE": "1", "PYTHONPATH": ""}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=home, timeout=300)
        assert done.returncode == 0, f"{script} failed in {python}:\n{done.stdout}\n{done.stderr}"

    return run
