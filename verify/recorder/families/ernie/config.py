"""Config files of ERNIE's checkpoints: their names, and the arguments of constructor calls before PaddleNLP 2.5.

The converter has the same names and arguments (mappings/ernie); they are stated again, for the recorder reads none of
it."""

from __future__ import annotations

from typing import Any

from verify.recorder.families import constructor_call

CONFIG_NAMES = ("config.json", "model_config.json")
#: Class -> what its constructor took by position (paddlenlp 2.4.2, ernie/modeling.py), the encoder's first.
POSITIONAL = {
    "ErnieModel": [
        *("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "hidden_act"),
        *("hidden_dropout_prob", "attention_probs_dropout_prob", "max_position_embeddings", "type_vocab_size"),
        *("initializer_range", "pad_token_id", "task_type_vocab_size", "task_id", "use_task_id"),
    ],
    "ErnieForSequenceClassification": ["ernie", "num_classes", "dropout"],
    "ErnieForTokenClassification": ["ernie", "num_classes", "dropout"],
    "ErnieForMultipleChoice": ["ernie", "num_choices", "dropout"],
    "ErnieForQuestionAnswering": ["ernie"],
    "ErnieForMaskedLM": ["ernie"],
    "ErnieForPretraining": ["ernie"],
    "UIE": ["encoding_model"],
}
#: What the encoder's constructor took before 2.5 where it was not given, and config classes have otherwise since.
BEFORE_CONFIGS = {"type_vocab_size": 2}


def config_names(folder: str) -> list[str]:
    """The names that a config may have in a folder, in order."""
    return list(CONFIG_NAMES)


def config_reader(name: str) -> str:
    """Who reads a config file of this name, in words for the trace."""
    return "read by PaddleNLP's ErnieConfig"


def flatten_call(call: dict[str, Any]) -> dict[str, Any]:
    """The fields of a constructor call, under the names that configs have."""
    return dict(BEFORE_CONFIGS, **constructor_call.flatten_call(call, POSITIONAL, "ernie"))
