"""Config files of ERNIE-M's releases: their names, and constructor calls that stand in for a config.

The converter has the same names and arguments (mappings/ernie_m); they are stated again, for the recorder reads none
of it."""

from __future__ import annotations

import os
import re
from typing import Any

from verify.recorder.families import constructor_call

#: PaddleNLP's two, then the 2021 release's.
CONFIG_NAMES = ("config.json", "model_config.json", "ernie_config.json")
#: ERNIEKit's, with the fields of the release's.
ERNIEKIT_CONFIG = re.compile(r"ernie_m_[\w.]+_config\.json")

#: Class -> what its constructor took by position before PaddleNLP 2.5; model_config.json holds such calls.
POSITIONAL = {
    "ErnieMModel": [
        "vocab_size",
        "hidden_size",
        "num_hidden_layers",
        "num_attention_heads",
        "hidden_act",
        "hidden_dropout_prob",
        "attention_probs_dropout_prob",
        "max_position_embeddings",
        "initializer_range",
        "pad_token_id",
    ],
    "ErnieMForSequenceClassification": ["ernie_m", "num_classes", "dropout"],
    "ErnieMForTokenClassification": ["ernie_m", "num_classes", "dropout"],
    "ErnieMForMultipleChoice": ["ernie_m", "num_choices", "dropout"],
    "ErnieMForQuestionAnswering": ["ernie_m"],
    "ErnieMForMaskedLM": ["ernie_m"],
    "UIEM": ["ernie_m"],
}


def config_names(folder: str) -> list[str]:
    """The names that a config may have in a folder, in order."""
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [*CONFIG_NAMES, *(name for name in names if ERNIEKIT_CONFIG.fullmatch(name))]


def config_reader(name: str) -> str:
    """Who reads a config file of this name, in words for the trace."""
    of_release = name == "ernie_config.json" or ERNIEKIT_CONFIG.fullmatch(name)
    return "the 2021 release's or ERNIEKit's" if of_release else "read by PaddleNLP's ErnieMConfig"


def flatten_call(call: dict[str, Any]) -> dict[str, Any]:
    """The fields of a constructor call and of the encoder's call inside it, under the names that configs have."""
    return constructor_call.flatten_call(call, POSITIONAL, "ernie_m")
