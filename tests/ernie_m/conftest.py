"""Paddle's numbers, recorded once in a session, and our models with the same weights."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

import ernie_m

torch.set_num_threads(1)
ROOT = Path(__file__).resolve().parents[2]

CLASSES = {
    "ErnieMModel": "ErnieMModel",
    "ErnieMForSequenceClassification": "ErnieMForSequenceClassification",
    "ErnieMForTokenClassification": "ErnieMForTokenClassification",
    "ErnieMForQuestionAnswering": "ErnieMForQuestionAnswering",
    "ErnieMForMultipleChoice": "ErnieMForMultipleChoice",
    "UIEM": "ErnieMForInformationExtraction",
}


def torch_name(paddle_name: str, paddle_class: str) -> str:
    """Our name of a tensor of Paddle's (MODEL.md; the product's own table has a test of its own)."""
    name = re.sub(r"\.self_attn\.([qkv]_proj)", r".self_attn.self_attn.\1", paddle_name)
    return name.replace("classifier.", "qa_outputs.") if paddle_class == "ErnieMForQuestionAnswering" else name


def torch_layout(name: str, value: np.ndarray) -> torch.Tensor:
    """Paddle keeps a linear weight as [in, out]."""
    return torch.tensor(value.T if value.ndim == 2 and "embeddings" not in name else value)


class Reference:
    """The file that tests/reference/model_numbers.py wrote."""

    def __init__(self, path: Path) -> None:
        with np.load(path) as file:
            self.arrays = {key: file[key] for key in file.files}
        self.models: dict[str, Any] = json.loads(str(self.arrays.pop("models")))
        self.facts: dict[str, Any] = json.loads(str(self.arrays.pop("facts")))

    def _under(self, prefix: str) -> dict[str, np.ndarray]:
        return {key[len(prefix) :]: value for key, value in self.arrays.items() if key.startswith(prefix)}

    def cases(self, model: str) -> list[str]:
        """The cases of a model, in the order in which they were recorded."""
        return list(dict.fromkeys(key.split("/")[1] for key in self.arrays if key.startswith(f"in/{model}:")))

    def inputs(self, case: str) -> dict[str, torch.Tensor]:
        return {key: torch.tensor(value) for key, value in self._under(f"in/{case}/").items()}

    def outputs(self, case: str) -> dict[str, torch.Tensor]:
        return {key: torch.tensor(value) for key, value in self._under(f"out/{case}/").items()}

    def gradients(self, case: str) -> dict[str, torch.Tensor]:
        paddle_class = self.models[case.split(":")[0]]["class"]
        found = self._under(f"grad/{case}/")
        return {torch_name(key, paddle_class): torch_layout(key, value) for key, value in found.items()}

    def config(self, model: str, **fields: Any) -> ernie_m.ErnieMConfig:
        config = {key: value for key, value in self.models[model]["config"].items() if key != "num_choices"}
        config["intermediate_size"] = None  # Paddle does not look at it
        return ernie_m.ErnieMConfig(**{**config, **fields})

    def model(self, model: str, attn: str = "eager", **fields: Any) -> Any:
        """Our model with Paddle's weights, in float64 and eval mode."""
        paddle_class = self.models[model]["class"]
        config = self.config(model, attn_implementation=attn, **fields)
        built = getattr(ernie_m, CLASSES[paddle_class])(config).double().eval()
        weights = {
            torch_name(key, paddle_class): torch_layout(key, value)
            for key, value in self._under(f"weights/{model}/").items()
        }
        loaded = built.load_state_dict(weights, strict=False)
        no_pooler = paddle_class in ("ErnieMForTokenClassification", "ErnieMForQuestionAnswering")
        dropped = ["ernie_m.pooler.dense.weight", "ernie_m.pooler.dense.bias"] if no_pooler else []
        assert loaded.missing_keys == [] and sorted(loaded.unexpected_keys) == sorted(dropped)
        return built


@pytest.fixture(scope="session")
def reference(run_paddle: Any, tmp_path_factory: pytest.TempPathFactory) -> Reference:
    path = tmp_path_factory.mktemp("paddle") / "model_numbers.npz"
    run_paddle("model_numbers.py", path)
    return Reference(path)


@pytest.fixture
def difference() -> Any:
    """The largest difference, relative to the largest value that Paddle has at that site."""

    def measure(ours: torch.Tensor, paddle: torch.Tensor) -> float:
        assert ours.dtype == paddle.dtype and ours.shape == paddle.shape, (ours.dtype, ours.shape, paddle.shape)
        assert not torch.isnan(ours).any()
        return float((ours - paddle).abs().max() / paddle.abs().max())

    return measure


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
