"""What transformers itself does with a converted folder: Auto classes, pipelines, dtypes, devices, saving."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file
from transformers import AutoConfig, AutoTokenizer, pipeline

import ernie_m
from tests.ecosystem.conftest import TEXTS, Make

CLASSES = {
    "ErnieMModel": "AutoModel",
    "ErnieMForSequenceClassification": "AutoModelForSequenceClassification",
    "ErnieMForTokenClassification": "AutoModelForTokenClassification",
    "ErnieMForQuestionAnswering": "AutoModelForQuestionAnswering",
    "ErnieMForMultipleChoice": "AutoModelForMultipleChoice",
}


@pytest.mark.parametrize("name", CLASSES)
def test_auto_classes_load_and_a_saved_folder_is_the_same(converted: Make, tmp_path: Path, name: str) -> None:
    folder = converted(name)
    model, info = getattr(transformers, CLASSES[name]).from_pretrained(folder, output_loading_info=True)
    assert type(model) is getattr(ernie_m, name) and type(AutoConfig.from_pretrained(folder)) is ernie_m.ErnieMConfig
    assert not any(info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    model.save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(folder).save_pretrained(tmp_path)
    before, after = load_file(folder / "model.safetensors"), load_file(tmp_path / "model.safetensors")
    assert before.keys() == after.keys() and all(torch.equal(before[key], after[key]) for key in before)
    assert AutoTokenizer.from_pretrained(tmp_path)(TEXTS) == AutoTokenizer.from_pretrained(folder)(TEXTS)


SHAPES = {
    "ErnieMModel": {"last_hidden_state": 3, "pooler_output": 2},
    "ErnieMForSequenceClassification": {"logits": 2},
    "ErnieMForTokenClassification": {"logits": 3},
    "ErnieMForQuestionAnswering": {"start_logits": 2, "end_logits": 2},
    "ErnieMForMultipleChoice": {"logits": 2},
    "UIEM": {"start_logits": 2, "end_logits": 2},
}


@pytest.mark.parametrize("name", SHAPES)
def test_the_code_on_the_card_runs_as_it_stands(converted: Make, product_python: Path, name: str) -> None:
    folder = converted(name)
    blocks = re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)
    code = blocks[0].replace('"FOLDER"', repr(str(folder)))
    assert all(key in code for key in SHAPES[name])
    code += "\nprint({key: value.ndim for key, value in output.items()})"
    # Where ernie_m is imported, AutoModel is the encoder: information extraction has no Auto class of its own.
    command = [product_python, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200, cwd=folder)
    assert done.stdout.splitlines()[-1:] == [str(SHAPES[name])], done.stderr


def probabilities(folder: Path, text: str, *pair: str) -> torch.Tensor:
    model = ernie_m.ErnieMForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with torch.no_grad():
        return model(**tokenizer(text, *pair, return_tensors="pt")).logits[0].softmax(-1)


def test_text_classification(converted: Make) -> None:
    folder = converted("ErnieMForSequenceClassification", ("bad", "fair", "good"))
    classify = pipeline("text-classification", model=str(folder), top_k=None, device="cpu")
    for text, found in zip(TEXTS, classify(TEXTS)):
        expected = dict(zip(("bad", "fair", "good"), probabilities(folder, text).tolist()))
        assert {one["label"]: one["score"] for one in found} == pytest.approx(expected, abs=1e-6)


def test_zero_shot_classification(converted: Make) -> None:
    folder = converted("ErnieMForSequenceClassification", ("contradiction", "neutral", "entailment"))
    classify = pipeline("zero-shot-classification", model=str(folder), device="cpu")
    found = classify(TEXTS[0], candidate_labels=["Berg", "See"], hypothesis_template="Das ist {}.", multi_label=True)
    for label, score in zip(found["labels"], found["scores"]):
        against, _, entailed = probabilities(folder, TEXTS[0], f"Das ist {label}.").tolist()
        assert score == pytest.approx(entailed / (entailed + against), abs=1e-6)


def test_token_classification_has_spans(converted: Make) -> None:
    tag = pipeline("token-classification", model=str(converted("ErnieMForTokenClassification")), device="cpu")
    for text in TEXTS:
        found = tag(text, aggregation_strategy="simple", ignore_labels=[])
        assert [text[one["start"] : one["end"]] for one in found if not text[one["start"] : one["end"]].strip()] == []
        assert found[0]["start"] == 0 and found[-1]["end"] == len(text)


def test_feature_extraction(converted: Make) -> None:
    folder = converted()
    features = pipeline("feature-extraction", model=str(folder), device="cpu")(TEXTS[0])
    ids = AutoTokenizer.from_pretrained(folder)(TEXTS[0], return_tensors="pt")
    with torch.no_grad():
        expected = ernie_m.ErnieMModel.from_pretrained(folder).eval()(**ids).last_hidden_state
    assert torch.allclose(torch.tensor(features), expected, atol=1e-5)


def test_multiple_choice_by_hand(converted: Make) -> None:
    folder = converted("ErnieMForMultipleChoice")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = ernie_m.ErnieMForMultipleChoice.from_pretrained(folder).eval()

    def choose(choices: list[str]) -> torch.Tensor:
        options = {"padding": True, "return_attention_mask": True, "return_tensors": "pt"}
        pairs = tokenizer([TEXTS[0]] * len(choices), choices, **options)
        with torch.no_grad():
            logits: torch.Tensor = model(**{name: value[None] for name, value in pairs.items()}).logits
        return logits

    logits, alone = choose(TEXTS[1:]), [choose([choice]) for choice in TEXTS[1:]]
    assert logits.shape == (1, 3) and torch.allclose(logits, torch.cat(alone, 1), atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_dtype_at_load(converted: Make, dtype: torch.dtype) -> None:
    name = "torch_dtype" if transformers.__version__.startswith("4.") else "dtype"
    model = transformers.AutoModel.from_pretrained(converted(), **{name: dtype}).eval()
    full = transformers.AutoModel.from_pretrained(converted()).eval()
    ids = AutoTokenizer.from_pretrained(converted())(TEXTS[3], return_tensors="pt")
    with torch.no_grad():
        found, expected = model(**ids).last_hidden_state, full(**ids).last_hidden_state
    assert found.dtype == dtype
    size = expected.abs().max()
    assert (found.float() - expected).abs().max() < size * {torch.float64: 1e-5}.get(dtype, 0.1)


def test_device_map(converted: Make, need: Callable[[str], Any]) -> None:
    need("accelerate")
    model = transformers.AutoModel.from_pretrained(converted(), device_map="cpu").eval()
    plain = transformers.AutoModel.from_pretrained(converted()).eval()
    ids = AutoTokenizer.from_pretrained(converted())(TEXTS[0], return_tensors="pt")
    assert torch.equal(model(**ids).last_hidden_state, plain(**ids).last_hidden_state)
    assert {parameter.device.type for parameter in model.parameters()} == {"cpu"}
