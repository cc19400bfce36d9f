"""ERNIEs in the forms of Baidu's own releases; nothing here is taken from what the tests test."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.ernie_release_names import dygraph_names, fluid_names
from tests.support.streams import combined, write_combined, write_variables


def write_config(folder: Path, config: Mapping[str, Any]) -> None:
    """The release's ernie_config.json, of a config.json as PaddleNLP writes it."""
    wanted = (
        *("attention_probs_dropout_prob", "hidden_act", "hidden_dropout_prob", "hidden_size", "initializer_range"),
        *("max_position_embeddings", "num_attention_heads", "num_hidden_layers", "type_vocab_size", "vocab_size"),
        *("task_type_vocab_size", "use_task_id"),
    )
    (folder / "ernie_config.json").write_text(json.dumps({key: config[key] for key in wanted if key in config}))


def write_release(form: str, folder: Path, state: Mapping[str, np.ndarray], config: Mapping[str, Any]) -> Path:
    """A folder of one of FORMS. Returns it."""
    folder.mkdir(parents=True)
    source_class = config["architectures"][0]
    if form == "dygraph":
        (folder / "saved_weights.pdparams").write_bytes(pickle.dumps(dygraph_names(state), 2))
    elif form == "variables":
        write_variables(folder / "params", fluid_names(state, source_class))
    elif form == "combined":
        write_combined(folder, fluid_names(state, source_class), "__model__", "__params__")
    else:
        (folder / "__params__").write_bytes(combined(fluid_names(state, source_class)))
    write_config(folder, config)
    return folder


FORMS = ("variables", "combined", "without a program", "dygraph")
