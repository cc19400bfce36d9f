"""Tiny ERNIE checkpoints that PaddleNLP made, and their verifications."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.classes import ERNIE_CLASSES

#: Of these the tokens are compared too, which takes most of the time of a verification.
WITH_TOKENS = ("ErnieForSequenceClassification",)
TOKENIZER = ("vocab.txt", "tokenizer_config.json", "special_tokens_map.json")


@pytest.fixture(scope="session")
def ernie_checkpoints(make_ernie_checkpoint: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a PaddleNLP folder for each class."""
    folder = tmp_path_factory.mktemp("ernie")
    make_ernie_checkpoint(folder, "--architecture", "all", "--seed", 3)
    for name in ERNIE_CLASSES:
        for file in TOKENIZER if name not in WITH_TOKENS else ():
            (folder / name / file).unlink()
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


#: Of the families with ERNIE's layers every kind of head, and of each family one.
RELATIVES = (
    *("ErnieGramForQuestionAnswering", "SkepForSequenceClassification", "ElectraForSequenceClassification"),
    *("ElectraForTokenClassification", "ElectraForQuestionAnswering", "ElectraForMultipleChoice"),
    *("ElectraGenerator", "ErnieHealthDiscriminator"),
)
RELATIVE_WITH_TOKENS = "SkepForSequenceClassification"


@pytest.fixture(scope="session")
def relative_checkpoints(make_ernie_checkpoint: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of RELATIVES."""
    folder = tmp_path_factory.mktemp("relatives")
    make_ernie_checkpoint(folder, "--architecture", *RELATIVES, "--seed", 3)
    for name in RELATIVES:
        for file in TOKENIZER if name != RELATIVE_WITH_TOKENS else ():
            (folder / name / file).unlink()
    return folder


@pytest.fixture(scope="session")
def relative(relative_checkpoints: Path, verify_live: Callable[..., Any]) -> Callable[..., Any]:
    """The verification of a class by its name, under a behavior, made once."""
    made: dict[Any, Any] = {}

    def get(name: str, behavior: str | None = None) -> Any:
        if (name, behavior) not in made:
            made[name, behavior] = verify_live(relative_checkpoints / name, behavior=behavior)
        return made[name, behavior]

    return get
