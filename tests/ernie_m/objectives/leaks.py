"""What reaches a masked token through six layers, under CAMLM's rule and under others that one could think of.

Used by the tests and by benchmarks/leak_table.py, so that both measure the same thing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import ernie_m
from ernie_m import objectives
from ernie_m.objectives.attention import Array

MASK, VOCABULARY = 59, 60
SMALL = {"mask_token_id": MASK, "vocab_size": VOCABULARY}
PAIRS = [
    ([10, 11, 12, 13, 14, 15], [20, 21, 22, 23, 24, 25, 26, 27]),
    ([30, 31, 32, 33], [40, 41, 42, 43, 44]),
]
SOUND = "the visible tokens of their own side (ours)"


def make_model(attention: str) -> Any:
    """Six layers in float64 whose weights are so large that everything that is read moves the numbers."""
    config = ernie_m.ErnieMConfig(
        vocab_size=VOCABULARY, hidden_size=16, num_attention_heads=4, num_hidden_layers=6, max_position_embeddings=40,
        initializer_range=0.6, add_pooling_layer=False, attn_implementation=attention,
    )  # fmt: skip
    torch.manual_seed(0)
    return ernie_m.ErnieMModel(config).double().eval()


def make_inputs() -> objectives.Inputs:
    """Two pairs, 40 % of each side masked."""
    return objectives.camlm(PAIRS, seed=3, ratio=0.4, **SMALL)


def states(model: Any, inputs: Any, **changes: Array) -> torch.Tensor:
    """The last states [B, S, H]."""
    names = ("input_ids", "attention_mask", "position_ids")
    arrays = {name: torch.as_tensor(changes.get(name, inputs[name])) for name in names}
    with torch.no_grad():
        state: torch.Tensor = model(**arrays).last_hidden_state
    return state


def largest_change(model: Any, inputs: Any, rule: Array, own: bool) -> float:
    """How far the state of any masked token moves when any visible token of its own (or of the other) side changes."""
    masked = inputs.input_ids == MASK
    before, largest = states(model, inputs, attention_mask=rule), 0.0
    for row, place in np.argwhere((inputs.side >= 0) & ~masked):
        ids = inputs.input_ids.copy()
        ids[row, place] = 50
        moved = (states(model, inputs, input_ids=ids, attention_mask=rule) - before)[row].abs().amax(-1)
        same = inputs.side[row] == inputs.side[row, place]
        largest = max(largest, float(moved[torch.as_tensor(masked[row] & (same == own))].max()))
    return largest


def rules(inputs: objectives.Inputs) -> dict[str, Array]:
    """What visible tokens could be thought to read, ours first; and the rule of NAT-with-Ernie-M's code."""
    masked, side = inputs.input_ids == MASK, inputs.side
    same = side[:, :, None] == side[:, None, :]
    reader, read = masked[:, :, None], masked[:, None, :]
    real = (side >= 0)[:, None, :]
    for_masked = (same & read) | (~same & ~read)
    itself = np.eye(side.shape[1], dtype=bool) & reader
    return {
        SOUND: inputs.attention_mask,
        "their whole own side, masks too": np.where(reader, for_masked, same) & real,
        "the visible tokens of both sides": np.where(reader, for_masked, ~read) & real,
        "everything": np.where(reader, for_masked, True) & real,
        "the other side's visible tokens, as do masked ones (NAT-with-Ernie-M)": ((~same & ~read) | itself) & real,
    }
