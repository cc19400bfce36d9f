"""Numbers of padded positions, where Paddle's lookup gives zeros for a row of the table and PyTorch's the row that is
stored: both sides leave them out. Of visible positions a mask takes care: nothing of them depends on those."""

from __future__ import annotations

from typing import Any

import numpy as np

#: Outputs with one number for each token; every other output of two dimensions has none for a token.
BY_TOKEN = ("start_logits", "end_logits", "start_prob", "end_prob")


def leave_out(site: str, value: Any, padded: Any) -> Any:
    """`value` with 0 at the positions where `padded`, [..., tokens], is true: of what has numbers for each token, and
    of the rows (queries) of probabilities [texts, heads, tokens, tokens]. Anything else as it is."""
    padded = padded.reshape(-1, padded.shape[-1])
    if value.ndim == 3 or (value.ndim == 2 and site in BY_TOKEN):
        kept = ~padded.reshape(padded.shape + (1,) * (value.ndim - 2))
    elif value.ndim == 4:
        kept = ~padded[:, None, :, None]
    else:
        return value
    return np.where(kept, value, np.zeros([], value.dtype))
