"""ERNIE in plain numpy, written from PaddleNLP's description: the source of the shipped numbers of its sanity model,
and of that of the families with its layers.

python -m tests.support.plain_ernie        writes verify/recorder/families/ernie/sanity_numbers*.json
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
from verify.recorder.families.family import SanityModel
from verify.recorder.families.skep import SKEP
from verify.recorder.sanity import sanity_values

NUMBERS = Path(__file__).parents[2] / "verify" / "recorder" / "families" / "ernie"
#: File -> the model, and the epsilon that PaddleNLP sets. Paddle's kernel takes it as a float32.
MODELS = {
    "sanity_numbers.json": (SANITY, float(np.float32(1e-12))),
    "sanity_numbers_of_relatives.json": (SKEP.sanity, float(np.float32(1e-5))),
}


def sanity_shapes(fields: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """PaddleNLP's names and shapes for the model without a head."""
    hidden = fields["hidden_size"]
    kinds = {kind: fields[f"{kind}_vocab_size"] for kind in ("type", "task_type") if f"{kind}_vocab_size" in fields}
    tables = {TABLES[kind]: (rows, hidden) for kind, rows in kinds.items()}
    return {**shapes_without_types(fields), **tables}


TABLES = {
    "type": "embeddings.token_type_embeddings.weight",
    "task_type": "embeddings.task_type_embeddings.weight",
}


def embed(weights: Weights, ids: np.ndarray, *types: tuple[str, np.ndarray]) -> np.ndarray:
    """The sum of the tables' rows [B, S, H]; id 0, [PAD], is zeros whatever its row is."""
    words = np.where((ids != 0)[..., None], weights["embeddings.word_embeddings.weight"][ids], 0.0)
    summed = words + weights["embeddings.position_embeddings.weight"][np.arange(ids.shape[1])]
    for kind, rows in types:
        summed = summed + weights[TABLES[kind]][rows]
    return np.asarray(summed)


def compute_sanity(sanity: SanityModel = SANITY, epsilon: float = float(np.float32(1e-12))) -> dict[str, np.ndarray]:
    """The numbers of a sanity model."""
    weights = {name: sanity_values(name, shape) for name, shape in sanity_shapes(sanity.fields).items()}
    arguments = {"token_type_ids": "type", "task_type_ids": "task_type"}
    types = ((arguments[name], np.array(rows)) for name, rows in sanity.types.items())
    summed = embed(weights, np.array(sanity.ids), *types)
    return compute_layers(summed, weights, np.array(sanity.mask), int(sanity.fields["num_attention_heads"]), epsilon)


def write_numbers() -> None:
    """Write the files that the recorder compares Paddle with: 15 digits of each number."""
    for file, (sanity, epsilon) in MODELS.items():
        computed = compute_sanity(sanity, epsilon)
        numbers = {site: [float(f"{value:.15g}") for value in values.flat] for site, values in computed.items()}
        (NUMBERS / file).write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_numbers()
