"""ERNIE in plain numpy, written from PaddleNLP's description: the source of its sanity model's shipped numbers.

python -m tests.support.plain_ernie        writes verify/recorder/families/ernie/sanity_numbers.json
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.plain_ernie_m import Weights, compute_layers
from tests.support.plain_ernie_m import sanity_shapes as shapes_without_types
from verify.recorder.families.ernie.adapter import SANITY
from verify.recorder.sanity import sanity_values

NUMBERS = Path(__file__).parents[2] / "verify" / "recorder" / "families" / "ernie" / "sanity_numbers.json"
#: PaddleNLP sets it, and Paddle's kernel takes it as a float32.
EPSILON = float(np.float32(1e-12))


def sanity_shapes(fields: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """PaddleNLP's names and shapes for the model without a head."""
    hidden = fields["hidden_size"]
    return {
        **shapes_without_types(fields),
        "embeddings.token_type_embeddings.weight": (fields["type_vocab_size"], hidden),
        "embeddings.task_type_embeddings.weight": (fields["task_type_vocab_size"], hidden),
    }


def embed(weights: Weights, ids: np.ndarray, types: np.ndarray, tasks: np.ndarray) -> np.ndarray:
    """The sum of the four tables' rows [B, S, H]; id 0, [PAD], is zeros whatever its row is."""
    words = np.where((ids != 0)[..., None], weights["embeddings.word_embeddings.weight"][ids], 0.0)
    positions = weights["embeddings.position_embeddings.weight"][np.arange(ids.shape[1])]
    kinds = weights["embeddings.token_type_embeddings.weight"][types]
    return np.asarray(words + positions + kinds + weights["embeddings.task_type_embeddings.weight"][tasks])


def compute_sanity() -> dict[str, np.ndarray]:
    """The numbers of the sanity model."""
    weights = {name: sanity_values(name, shape) for name, shape in sanity_shapes(SANITY.fields).items()}
    ids, types = np.array(SANITY.ids), {name: np.array(rows) for name, rows in SANITY.types.items()}
    summed = embed(weights, ids, types["token_type_ids"], types["task_type_ids"])
    return compute_layers(summed, weights, np.array(SANITY.mask), int(SANITY.fields["num_attention_heads"]), EPSILON)


def write_numbers() -> None:
    """Write the file that the recorder compares Paddle with: 15 digits of each number."""
    numbers = {site: [float(f"{value:.15g}") for value in values.flat] for site, values in compute_sanity().items()}
    NUMBERS.write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_numbers()
