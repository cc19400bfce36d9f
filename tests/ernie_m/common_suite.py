"""transformers' own common tests for models, run on ours, where that suite is at hand.

The suite is not in the wheel, but the source distributions have it, and so has the repository:

    pip download --no-deps --no-binary :all: transformers==5.23.0 && tar xf transformers-5.23.0.tar.gz
    pip install parameterized
    TRANSFORMERS_TESTS=transformers-5.23.0/tests python -m pytest -o addopts= tests/ernie_m/common_suite.py

It must be the suite of the installed version; with accelerate installed more of it runs. The name of this file keeps
it out of `make test`; the properties that apply to ErnieM are tested there by test_modeling_common.py. What the suite
skips it skips by its own rules (no GPU, no generation, no experts); NOT_FOR_US are the tests that ask for what this
model refuses, each with the reason.
"""

from __future__ import annotations

import importlib
import os
import random
import sys
import types
import unittest
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers.models.auto import modeling_auto

import ernie_m

CLASSES = (
    ernie_m.ErnieMModel,
    ernie_m.ErnieMForSequenceClassification,
    ernie_m.ErnieMForMultipleChoice,
    ernie_m.ErnieMForTokenClassification,
    ernie_m.ErnieMForQuestionAnswering,
    ernie_m.ErnieMForInformationExtraction,
    ernie_m.ErnieMForMaskedLM,
)
HEADS = "heads cannot be masked or pruned (docs/model.md, quirk 17)"
NOT_FOR_US = {
    "test_headmasking": HEADS,
    "test_head_pruning": HEADS,
    "test_head_pruning_integration": HEADS,
    "test_head_pruning_save_load_from_config_init": HEADS,
    "test_head_pruning_save_load_from_pretrained": HEADS,
}


def load_suite(folder: Path) -> Any:
    """The module test_modeling_common of that folder. Parts for other kinds of model are left out of an sdist."""
    package = types.ModuleType("transformers_tests")
    package.__path__ = [str(folder)]
    sys.modules[package.__name__] = package
    for part, name in (
        ("generation.test_utils", "GenerationTesterMixin"),
        ("exporters.test_export", "ExportTesterMixin"),
    ):
        if not folder.joinpath(*part.split(".")).with_suffix(".py").exists():
            for place in (part.split(".")[0], part):
                empty = types.ModuleType(f"{package.__name__}.{place}")
                empty.__path__ = []
                sys.modules[empty.__name__] = empty
            setattr(empty, name, type(name, (), {}))
    return importlib.import_module(f"{package.__name__}.test_modeling_common")


if not os.environ.get("TRANSFORMERS_TESTS"):
    pytest.exit("TRANSFORMERS_TESTS must name the tests/ folder of transformers' source; see common_suite.py", 2)
common = load_suite(Path(os.environ["TRANSFORMERS_TESTS"]).resolve())

# The suite looks up by name which class takes which labels.
modeling_auto.MODEL_MAPPING_NAMES["ernie_m"] = "ErnieMModel"
for task in ("SEQUENCE_CLASSIFICATION", "MULTIPLE_CHOICE", "TOKEN_CLASSIFICATION", "QUESTION_ANSWERING"):
    names = getattr(modeling_auto, f"MODEL_FOR_{task}_MAPPING_NAMES")
    names["ernie_m"] = "ErnieMFor" + task.title().replace("_", "")
modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES["ernie_m"] = "ErnieMForMaskedLM"


class Tester:
    """Sizes and inputs, under the names that the suite reads."""

    batch_size, seq_length, num_choices, num_labels = 3, 7, 4, 2
    hidden_size, num_hidden_layers, num_attention_heads, vocab_size = 32, 2, 4, 99
    is_training = True
    add_pooling_layer = True

    def __init__(self, parent: unittest.TestCase) -> None:
        self.parent = parent

    def get_config(self) -> ernie_m.ErnieMConfig:
        return ernie_m.ErnieMConfig(
            vocab_size=self.vocab_size,
            hidden_size=self.hidden_size,
            num_hidden_layers=self.num_hidden_layers,
            num_attention_heads=self.num_attention_heads,
            max_position_embeddings=40,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            add_pooling_layer=self.add_pooling_layer,
        )

    def prepare_config_and_inputs_for_common(self) -> tuple[ernie_m.ErnieMConfig, dict[str, torch.Tensor]]:
        ids = [[random.randrange(3, self.vocab_size) for _ in range(self.seq_length)] for _ in range(self.batch_size)]
        mask = torch.ones(self.batch_size, self.seq_length, dtype=torch.long)
        mask[1, 4:] = 0
        device = common.torch_device
        return self.get_config(), {"input_ids": torch.tensor(ids, device=device), "attention_mask": mask.to(device)}


class ErnieMCommonTest(common.ModelTesterMixin, unittest.TestCase):
    all_model_classes = CLASSES

    def setUp(self) -> None:
        if reason := NOT_FOR_US.get(self._testMethodName):
            self.skipTest(reason)
        self.model_tester = Tester(self)
        # Information extraction has a pooler that its loss does not see, as Paddle's. These want gradients everywhere.
        self.model_tester.add_pooling_layer = "training_gradient" not in self._testMethodName

    def _prepare_for_class(self, inputs_dict: Any, model_class: Any, return_labels: bool = False) -> Any:
        inputs = super()._prepare_for_class(inputs_dict, model_class, return_labels=return_labels)
        if return_labels and model_class is ernie_m.ErnieMForInformationExtraction:  # a number for every token
            marks = torch.zeros(self.model_tester.batch_size, self.model_tester.seq_length, device=common.torch_device)
            inputs["start_positions"], inputs["end_positions"] = marks, marks
        return inputs
