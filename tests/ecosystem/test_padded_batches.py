"""The first line that everybody types, and fill-mask: what padding does, how it is kept out, and what is refused."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import torch
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer, pipeline

import ernie_m  # noqa: F401 - registers the Auto classes
from tests.ecosystem.conftest import TEXTS, Make

HIDE = {"implicit_mask_token_ids": [0, 1]}
FILL_MASK = """\
from transformers import pipeline
pipeline("fill-mask", {!r}, trust_remote_code=True)
"""


def largest_difference(model: torch.nn.Module, folder: Path) -> float:
    """Between the texts of a padded batch and the same texts alone, in the vectors of real tokens."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with torch.no_grad():
        padded = model(**tokenizer(TEXTS, padding=True, return_tensors="pt")).last_hidden_state
        alone = [model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0] for text in TEXTS]
    return max(float((row[: len(one)] - one).abs().max()) for row, one in zip(padded, alone))


def test_padding_changes_the_numbers_as_in_paddle_and_with_the_rule_it_does_not(converted: Make) -> None:
    folder = converted()
    assert largest_difference(AutoModel.from_pretrained(folder), folder) > 0.1
    assert largest_difference(AutoModel.from_pretrained(folder, **HIDE), folder) < 2e-6


def test_a_folder_that_was_converted_so_needs_nothing_else(converted: Make, tmp_path: Path) -> None:
    from converter import convert

    convert(converted().parent / "source", tmp_path / "out", behavior="paddlenlp-unpadded")
    assert largest_difference(AutoModel.from_pretrained(tmp_path / "out"), tmp_path / "out") < 2e-6
    answers = pipeline("feature-extraction", str(tmp_path / "out"), device="cpu", return_tensors=True)
    alone, batched = answers(TEXTS), answers(TEXTS, batch_size=3)
    assert max(float((many[0, : one.shape[1]] - one[0]).abs().max()) for one, many in zip(alone, batched)) < 2e-6


def test_scores_of_a_pipeline_do_not_depend_on_the_batch(converted: Make) -> None:
    folder = converted("ErnieMForSequenceClassification")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    apart = {}
    for name, fields in (("paddle", {}), ("unpadded", HIDE)):
        model = AutoModelForSequenceClassification.from_pretrained(folder, **fields)
        ask = pipeline("text-classification", model=model, tokenizer=tokenizer, device="cpu", top_k=None)
        scores = [[{one["label"]: one["score"] for one in row} for row in ask(TEXTS, batch_size=n)] for n in (1, 3)]
        apart[name] = max(abs(one[label] - many[label]) for one, many in zip(*scores) for label in one)
    assert apart["unpadded"] < 2e-6 < 1e-3 < apart["paddle"]


@pytest.mark.parametrize("kind", ["ErnieMModel", "ErnieMForSequenceClassification"])
def test_fill_mask_is_refused_in_a_sentence(converted: Make, kind: str) -> None:
    with pytest.raises(AttributeError, match="ErnieM has no masked-LM head here, so there is no fill-mask"):
        pipeline("fill-mask", str(converted(kind)))


def test_fill_mask_is_refused_by_the_code_in_a_folder_too(
    converted: Make, product_python: Path, tmp_path: Path
) -> None:
    code = FILL_MASK.format(str(converted("ErnieMForSequenceClassification")))
    environment = {**os.environ, "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1", "PYTHONPATH": ""}
    done = subprocess.run(
        [product_python, "-c", code], capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=300
    )
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("AttributeError: ErnieM has no masked-LM head here")
