"""Small PaddleNLP folders made without Paddle, for the tests that need many of them quickly."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mappings import expand, find_class, load_table

SIZES = {
    "vocab_size": 30,
    "max_position_embeddings": 10,
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}
LABELS = 3
TYPES = {"type_vocab_size": 4, "task_type_vocab_size": 3}
WITH_LABELS = tuple(
    f"{name}For{head}Classification"
    for name in ("ErnieM", "Ernie", "ErnieGram", "Skep", "Electra")
    for head in ("Sequence", "Token")
)

#: A vocabulary of words and pieces for the families that cut text like BERT; ids 0, 1 and 2 are [PAD], [CLS] and [SEP].
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,;:!?()-€℃°+=<>中国语家"
WORDPIECES = (
    *("[PAD]", "[CLS]", "[SEP]", "[MASK]", "the", "lamp", "un", "##able", "1917", "house", *LETTERS),
    *(f"##{letter}" for letter in LETTERS if letter.isalnum()),
    "[UNK]",
)


def make_state(architecture: str = "ErnieMModel", scheme: int = 0, **sizes: int) -> dict[str, np.ndarray]:
    """Random weights under the names that a file of this class has."""
    table = load_table(architecture)
    every = {**SIZES, **sizes}
    random = np.random.default_rng(7)
    entries = expand(table, table.schemes[scheme], full_sizes(every))
    made = {entry.source: random.standard_normal(entry.source_shape).astype("<f4") for entry in entries}
    return {**made, **{entry.source: made[entry.same_as] for entry in entries if entry.same_as}}


def full_sizes(sizes: Mapping[str, int]) -> dict[str, int]:
    """With the sizes that follow from others or that one family alone has."""
    return {
        **sizes,
        "intermediate_size": 4 * sizes["hidden_size"],
        "num_labels": LABELS,
        "embedding_size": sizes["hidden_size"],
        **TYPES,
    }


def make_config(architecture: str = "ErnieMModel", **changes: Any) -> dict[str, Any]:
    """A config.json as PaddleNLP 2.8 writes it, ERNIE-M's wrong intermediate_size included."""
    labels = {}
    if architecture in WITH_LABELS:
        names = [f"LABEL_{index}" for index in range(LABELS)]
        labels = {"id2label": {str(i): n for i, n in enumerate(names)}, "label2id": {n: i for i, n in enumerate(names)}}
    config = {
        "architectures": [architecture],
        "attention_probs_dropout_prob": 0.1,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "initializer_range": 0.02,
        "intermediate_size": 3072,
        "model_type": "ernie_m",
        "pad_token_id": 1,
        "paddlenlp_version": None,
        "type_vocab_size": 16,
        **SIZES,
        **labels,
        **_of_family(architecture),
        **changes,
    }
    return {key: value for key, value in config.items() if value is not ...}


def _of_family(architecture: str) -> dict[str, Any]:
    """What a config of another family has otherwise than one of ERNIE-M."""
    found = find_class(architecture)
    if found is None or found[0].model_type == "ernie_m":
        return {}
    wide = {"intermediate_size": 4 * SIZES["hidden_size"], "pad_token_id": 0}
    if found[0].model_type == "ernie":
        return {"model_type": "ernie", "use_task_id": True, **wide, **TYPES}
    types = {"type_vocab_size": TYPES["type_vocab_size"], "embedding_size": SIZES["hidden_size"]}
    return {"model_type": found[0].model_type, "layer_norm_eps": 1e-5, **wide, **types}


def write_folder(
    folder: Path,
    state: dict[str, Any] | None = None,
    config: dict[str, Any] | None = None,
    *,
    architecture: str = "ErnieMModel",
    protocol: int = 4,
) -> Path:
    """A folder with model_state.pdparams (form A) and config.json; `config={}` leaves the config out."""
    folder.mkdir(parents=True, exist_ok=True)
    state = make_state(architecture) if state is None else state
    data = {**state, "StructuredToParameterName@@": {name: f"p_{number}" for number, name in enumerate(state)}}
    (folder / "model_state.pdparams").write_bytes(pickle.dumps(data, protocol))
    config = make_config(architecture) if config is None else config
    if config:
        (folder / "config.json").write_text(json.dumps(config))
    return folder
