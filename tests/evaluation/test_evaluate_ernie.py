"""The same for the families whose tokenizers give types of tokens: ERNIE and those with its layers."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from converter.conversion import convert
from evaluation.report.terminal import render_table
from evaluation.run import evaluate
from tests.verify.ernie.conftest import RELATIVES
from verify.numbers.pytorch_process import Start

WORDS = ("the", "a", "lamp", "unable", "lamps", "1917", "in", "for", "house", "中国", "语家", "$5", "x.y")


def sentence(number: int, length: int) -> str:
    return " ".join(random.Random(number).choices(WORDS, k=length))


@pytest.fixture(scope="module")
def sources(
    make_ernie_checkpoint: Callable[..., None], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """(name of a class) -> a checkpoint of it; the same that are verified, so that they are made once."""
    folder = tmp_path_factory.mktemp("ernie")

    def get(name: str) -> Path:
        names, place = (RELATIVES, "relatives") if name in RELATIVES else (("all",), "own")
        if not (folder / place).exists():
            make_ernie_checkpoint(folder / place, "--architecture", *names, "--seed", 3)
        return folder / place / name

    return get


def write_pairs(path: Path) -> None:
    rows = [f"{n}\t{sentence(n, 6)}\t{sentence(n + 50, 6)}\t{n % 3}" for n in range(40)]
    path.write_text("\n".join(["id\tsentence1\tsentence2\tlabel", *rows]), encoding="utf-8")


def write_tags(path: Path) -> None:
    tags = ("O", "B-A", "I-A")
    lines = [f"{word} {tags[n % 3]}" if word else "" for n in range(20) for word in [*sentence(n, 6).split(), ""]]
    path.write_text("\n".join(lines), encoding="utf-8")


def write_questions(path: Path) -> None:
    contexts = [sentence(n, 30) for n in range(10)]
    entries = [
        {"id": str(n), "question": sentence(n + 50, 3), "answers": [{"text": context[:9], "answer_start": 0}]}
        for n, context in enumerate(contexts)
    ]
    paragraphs = [{"context": context, "qas": [one]} for context, one in zip(contexts, entries)]
    path.write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}), encoding="utf-8")


DATA: dict[str, tuple[str, Callable[[Path], None], dict[str, Any]]] = {
    "pawsx": ("test.zh.tsv", write_pairs, {"labels": ("0", "1", "2")}),
    "ner": ("zh.testb", write_tags, {"labels": ("O", "B-A", "I-A")}),
    "qa": ("x.zh.json", write_questions, {}),
}


@pytest.mark.parametrize(
    ("task", "name"),
    [
        ("pawsx", "ErnieForSequenceClassification"),
        ("qa", "ErnieForQuestionAnswering"),
        ("pawsx", "SkepForSequenceClassification"),
        ("qa", "ErnieGramForQuestionAnswering"),
        ("ner", "ElectraForTokenClassification"),
    ],
)
def test_every_family_gives_the_same_answers(
    sources: Callable[[str], Path], task: str, name: str, paddle_python: Path, start: Start, tmp_path: Path
) -> None:
    source = sources(name)
    convert(source, tmp_path / "out")
    file, write, more = DATA[task]
    write(tmp_path / file)
    result = evaluate(
        source, tmp_path / "out", task=task, data=tmp_path / file, paddle_python=paddle_python, start=start, **more
    )
    assert result.passed, render_table(result)
    found = result.to_json()["languages"]["zh"]
    assert found["paddle"] == found["torch"] and found["agree"] == found["examples"] >= 10
    assert 0 < found["max_abs"] < 2e-5
    assert not any("tokens were not compared" in warning for warning in result.warnings)
    assert result.protocol["mask"] in ("none", "ones (what the tokenizer gives)")
