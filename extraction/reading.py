"""The model's probabilities of a start and of an end, at every token of windows that Taskflow pads to max_seq_len.

The paddings of a row are all alike, so one of them is computed in place of all.
"""

from __future__ import annotations

import math
from typing import Any

import torch

from .windows import Window

Probabilities = tuple[list[list[float]], list[list[float]]]


def read_windows(model: Any, pad_token_id: int, max_seq_len: int, windows: list[Window]) -> Probabilities:
    """The starts and the ends of each window: `max_seq_len` numbers each."""
    rows = [window.ids for window in windows]
    width = min(max(map(len, rows)) + 1, max_seq_len)
    ids = torch.full((len(rows), width), pad_token_id)
    positions = torch.zeros_like(ids)  # Paddle's tokenizer gives position 0 to every padding
    for place, row in enumerate(rows):
        ids[place, : len(row)] = torch.tensor(row)
        positions[place, : len(row)] = torch.arange(len(row))
    inputs = {"input_ids": ids, "position_ids": positions}
    if windows[0].types is not None:
        types = inputs["token_type_ids"] = torch.zeros_like(ids)
        for place, window in enumerate(windows):
            types[place, : len(window.ids)] = torch.tensor(window.types)
    # A configuration with this field says which tokens are hidden where no mask is given, and [PAD] may be none.
    hidden = getattr(model.config, "implicit_mask_token_ids", None)
    lengths = [len(row) for row in rows]
    if hidden is None:
        inputs["attention_mask"] = show_texts(ids, lengths)
    else:
        inputs["attention_mask"] = weigh_padding(model, ids, lengths, max_seq_len, hidden)
    with torch.inference_mode():
        output = model(**{name: tensor.to(model.device) for name, tensor in inputs.items()})
    dtype = torch.promote_types(output.start_logits.dtype, torch.float32)
    return tuple(  # type: ignore[return-value]
        [
            found[:length] + found[length : length + 1] * (max_seq_len - length)
            for found, length in zip(logits.to(dtype).sigmoid().tolist(), lengths)
        ]
        for logits in (output.start_logits, output.end_logits)
    )


def show_texts(ids: torch.Tensor, lengths: list[int]) -> torch.Tensor:
    """1 for the tokens of the texts, 0 for paddings: [B, S], as Taskflow gives it to UIE."""
    return (torch.arange(ids.shape[1]) < torch.tensor(lengths)[:, None]).long()


def weigh_padding(
    model: Any, ids: torch.Tensor, lengths: list[int], max_seq_len: int, hidden: list[int]
) -> torch.Tensor:
    """What is added to the scores where every padding is seen: float [B, 1, 1, S]. Taskflow gives UIE-M no mask.

    One [PAD] weighs as much as all: the logarithm of their number is added to its scores.
    """
    config = model.config
    hide = torch.finfo(model.dtype).min if config.attention_mask_value is None else config.attention_mask_value
    mask = torch.full(ids.shape, float(hide), dtype=torch.float64)
    for place, length in enumerate(lengths):
        mask[place, :length] = 0.0
        if length < max_seq_len:
            mask[place, length] = math.log(max_seq_len - length)
    for token in hidden:
        mask[ids == token] = hide
    return mask[:, None, None].to(torch.promote_types(model.dtype, torch.float32))
