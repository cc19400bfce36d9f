"""Tiny converted folders with a tokenizer, made without Paddle, for the libraries around transformers."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ernie_m.tokenization_reference import small_folder
from tests.support.checkpoints import make_config, make_state, write_folder

os.environ.setdefault("HF_HUB_OFFLINE", "1")
SIZES = {
    "vocab_size": 2002,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 514,
}
TEXTS = [
    "Ein Berg in der Stadt.",
    "中国2024年3月。",
    "a b",
    "This sentence is the longest one of them all, by far and away.",
]
Make = Callable[..., Path]


@pytest.fixture(scope="session")
def need(pytestconfig: pytest.Config) -> Callable[[str], Any]:
    """A library of requirements/dev.txt that a user may lack: skipped there, a failure in CI."""

    def load(name: str) -> Any:
        try:
            return importlib.import_module(name)
        except ImportError as error:
            if os.environ.get("CI", "").lower() == "true":
                pytest.fail(f"CI=true and {name} is not installed: {error}", pytrace=False)
            return pytest.skip(f"{name} is not installed: see docs/ecosystem.md")

    return load


@pytest.fixture(scope="session")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """The output folder of `convert` for a class; made once for each set of labels."""
    from converter import convert

    made: dict[str, Path] = {}

    def make(architecture: str = "ErnieMModel", labels: tuple[str, ...] = ("O", "B-X", "I-X")) -> Path:
        key = f"{architecture} {labels}"
        if key not in made:
            place = tmp_path_factory.mktemp(architecture)
            source = small_folder(place / "source")
            named = architecture in ("ErnieMForSequenceClassification", "ErnieMForTokenClassification")
            names = {str(number): label for number, label in enumerate(labels)}
            changes = {"id2label": names, "label2id": {label: int(n) for n, label in names.items()}} if named else {}
            config = make_config(architecture, **SIZES, **changes)
            state = {name: value * 0.5 for name, value in make_state(architecture, **SIZES).items()}
            write_folder(source, state, config)
            convert(source, place / "out")
            made[key] = place / "out"
        return made[key]

    return make
