"""Fields that no forward pass shows are compared with SOURCE, or without it with the config in a trace."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from converter.common.errors import Problem
from converter.conversion import convert
from tests.support.checkpoints import write_folder
from tests.support.classes import ERNIE_M_CLASSES
from verify import verify
from verify.folder.check_folder import Standard, check_folder
from verify.results.manifest import read_manifest
from verify.results.trace import read_trace

CHANGES: list[tuple[str, str, Any]] = [
    ("config.json", "hidden_act", "relu"),
    ("config.json", "hidden_dropout_prob", 0.2),
    ("config.json", "attention_probs_dropout_prob", 0.0),
    ("config.json", "classifier_dropout", 0.5),
    ("config.json", "act_dropout", 0.1),
    ("config.json", "initializer_range", 0.01),
    ("config.json", "pad_token_id", 0),
    ("config.json", "problem_type", "regression"),
    ("config.json", "vocab_size", 7),
    ("config.json", "hidden_size", 64),
    ("config.json", "intermediate_size", 3072),
    ("config.json", "num_hidden_layers", 2),
    ("config.json", "num_attention_heads", 2),
    ("config.json", "max_position_embeddings", 41),
    ("config.json", "layer_norm_eps", 1e-5),
    ("config.json", "position_offset", 0),
    ("config.json", "attention_mask_value", None),
    ("config.json", "implicit_mask_token_ids", [1]),
    ("config.json", "dtype", "float16"),
    # What the configuration refuses: the class takes no 4.0 for a 4, and two numbers of labels do not go together.
    ("config.json", "num_attention_heads", 4.0),
    ("config.json", "position_offset", 2.0),
    ("config.json", "implicit_mask_token_ids", [False]),
    ("config.json", "num_labels", 5),
    ("config.json", "num_classes", 5),
    ("config.json", "architectures", ["ErnieMModel"]),
    ("config.json", "model_type", "bert"),
    ("config.json", "id2label", {"0": "LABEL_1", "1": "LABEL_0", "2": "LABEL_2"}),
    ("config.json", "label2id", {"LABEL_0": 1, "LABEL_1": 0, "LABEL_2": 2}),
    ("config.json", "label2id", None),
    ("config.json", "auto_map", None),
    ("tokenizer_config.json", "model_max_length", 512),
    ("tokenizer_config.json", "piece_rule", "release"),
    ("tokenizer_config.json", "auto_map", {"AutoTokenizer": ["modeling_ernie_m.Other", None]}),
]


def judge_by_trace(whole: Any, output: Path) -> list[Problem]:
    standard = Standard(None, read_trace(whole.trace), read_manifest(output)[0])
    _, problems, _ = check_folder(output, standard, lambda text: None)
    return problems


@pytest.mark.parametrize("name", ERNIE_M_CLASSES)
def test_a_trace_agrees_with_every_class(verified: Callable[[str], Any], name: str) -> None:
    whole = verified(name)
    assert judge_by_trace(whole, whole.output) == []


def test_every_field_is_held_against_a_trace(
    verified: Callable[[str], Any], copy_output: Callable[[Any], Path]
) -> None:
    whole = verified("ErnieMForSequenceClassification")
    output = copy_output(whole)
    for file, field, value in CHANGES:
        before = (output / file).read_bytes()
        (output / file).write_text(json.dumps({**json.loads(before), field: value}))
        problems = judge_by_trace(whole, output)
        assert [problem.code for problem in problems] == ["E408"], field
        assert file in problems[0].text and field in problems[0].text
        (output / file).write_bytes(before)
    assert judge_by_trace(whole, output) == []


@pytest.mark.parametrize(
    ("auto", "place"),
    [
        ("AutoModel", "modeling_ernie_m.ErnieMForInformationExtraction"),
        ("AutoConfig", "modeling_ernie_m.ErnieMConfig"),
        ("AutoModelForTokenClassification", "evil.Model"),
        ("AutoModelForMultipleChoice", None),
    ],
)
def test_where_the_auto_classes_look(tmp_path: Path, auto: str, place: str | None) -> None:
    source, output = write_folder(tmp_path / "source"), tmp_path / "output"
    convert(source, output)
    config = json.loads((output / "config.json").read_text())
    config["auto_map"][auto] = place
    (output / "config.json").write_text(json.dumps(config))
    problems = verify(source, output, static_only=True).problems
    assert [problem.code for problem in problems] == ["E408"]
    assert f"auto_map's {auto} is {place!r}" in problems[0].text


def test_a_field_that_is_not_there_is_told_so(tmp_path: Path) -> None:
    source, output = write_folder(tmp_path / "source"), tmp_path / "output"
    convert(source, output)
    config = json.loads((output / "config.json").read_text())
    del config["hidden_act"]
    (output / "config.json").write_text(json.dumps(config))
    (problem,) = verify(source, output, static_only=True).problems
    assert problem.text == "config.json: hidden_act is missing, expected 'gelu'"


def test_another_auto_class_is_nobodys_concern(tmp_path: Path) -> None:
    source, output = write_folder(tmp_path / "source"), tmp_path / "output"
    convert(source, output)
    config = json.loads((output / "config.json").read_text())
    config["auto_map"]["AutoModelForPreTraining"] = "modeling_ernie_m.ErnieMModel"
    (output / "config.json").write_text(json.dumps(config))
    assert verify(source, output, static_only=True).passed
