"""ERNIE-M's pre-training objectives: MMLM, TLM, CAMLM and the two stages of BTMLM, on token ids.

mmlm, tlm, camlm, placeholders and btmlm are pure functions in numpy for any framework: they change nothing that they
are given and use no global random state. `Collator` and `fill_placeholders` import torch when they are called.
This package does not travel with converted weights.

After the figure and the words about arXiv 2012.15674 that docs/objectives.md names. Masking rate, share of
placeholders, what visible tokens read, layout and positions are ours, since no text of the authors was found for them.
"""

from __future__ import annotations

from .attention import attend_across, attend_to_all
from .functions import btmlm, camlm, mmlm, placeholders, tlm
from .inputs import Inputs
from .torch_side import Collator, fill_placeholders, to_tensors

__all__ = [
    "Collator",
    "Inputs",
    "attend_across",
    "attend_to_all",
    "btmlm",
    "camlm",
    "fill_placeholders",
    "mmlm",
    "placeholders",
    "tlm",
    "to_tensors",
]
