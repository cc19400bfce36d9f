"""Tiny ERNIE checkpoints that PaddleNLP made, and their verifications."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.classes import ERNIE_CLASSES


@pytest.fixture(scope="session")
def ernie_checkpoints(make_ernie_checkpoint: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a PaddleNLP folder for each class."""
    folder = tmp_path_factory.mktemp("ernie")
    make_ernie_checkpoint(folder, "--architecture", "all", "--seed", 3)
    return folder


@pytest.fixture(scope="session")
def ernie(ernie_checkpoints: Path, verify_live: Callable[..., Any]) -> Callable[[str], Any]:
    """The verification of a class by its name, made once."""
    made: dict[str, Any] = {}

    def get(name: str) -> Any:
        assert name in ERNIE_CLASSES
        if name not in made:
            made[name] = verify_live(ernie_checkpoints / name)
        return made[name]

    return get
