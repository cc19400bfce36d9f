"""The same for a family whose tokenizer gives types of tokens and a mask."""

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
from verify.numbers.pytorch_process import Start

WORDS = ("the", "a", "lamp", "unable", "lamps", "1917", "in", "for", "house", "中国", "语家", "$5", "x.y")


def sentence(number: int, length: int) -> str:
    return " ".join(random.Random(number).choices(WORDS, k=length))


@pytest.fixture(scope="module")
def sources(
    make_ernie_checkpoint: Callable[..., None], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("ernie")
    make_ernie_checkpoint(folder, "--architecture", "all", "--seed", 3)
    return lambda name: folder / name


@pytest.mark.parametrize(
    ("task", "name"), [("pawsx", "ErnieForSequenceClassification"), ("qa", "ErnieForQuestionAnswering")]
)
def test_pairs_have_types(
    sources: Callable[[str], Path], task: str, name: str, paddle_python: Path, start: Start, tmp_path: Path
) -> None:
    source = sources(name)
    convert(source, tmp_path / "out")
    data = tmp_path / ("test.zh.tsv" if task == "pawsx" else "x.zh.json")
    more: dict[str, Any] = {}
    if task == "pawsx":
        rows = [f"{n}\t{sentence(n, 6)}\t{sentence(n + 50, 6)}\t{n % 3}" for n in range(40)]
        data.write_text("\n".join(["id\tsentence1\tsentence2\tlabel", *rows]), encoding="utf-8")
        more["labels"] = ("0", "1", "2")
    else:
        contexts = [sentence(n, 30) for n in range(10)]
        entries = [
            {"id": str(n), "question": sentence(n + 50, 3), "answers": [{"text": context[:9], "answer_start": 0}]}
            for n, context in enumerate(contexts)
        ]
        paragraphs = [{"context": context, "qas": [one]} for context, one in zip(contexts, entries)]
        data.write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}), encoding="utf-8")
    result = evaluate(source, tmp_path / "out", task=task, data=data, paddle_python=paddle_python, start=start, **more)
    assert result.passed, render_table(result)
    found = result.to_json()["languages"]["zh"]
    assert found["paddle"] == found["torch"] and found["agree"] == found["examples"] >= 10
    assert 0 < found["max_abs"] < 2e-5
    assert result.protocol["mask"] in ("none", "ones (what the tokenizer gives)")
