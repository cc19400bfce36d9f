"""A language embedding for the placeholders of BTMLM, which else do not know which language they are to write."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class WithLanguages(nn.Module):
    """A masked LM whose words have a language added, before the first LayerNorm.

    The paper's figure has such an embedding, the released weights have none: this one is new, and zero at first, so
    that a converted model computes what it did until the embedding is trained. The configuration knows nothing of it.
    """

    def __init__(self, model: Any, languages: int) -> None:
        super().__init__()
        self.model = model
        words = model.get_input_embeddings().weight
        table = torch.zeros(languages, words.shape[1], dtype=words.dtype, device=words.device)
        self.language_embeddings = nn.Embedding.from_pretrained(table, freeze=False)

    def forward(self, input_ids: Tensor, language_ids: Tensor, **inputs: Any) -> Any:
        """`language_ids` int [B, S], the rest as the model takes it."""
        words = self.model.get_input_embeddings()(input_ids)
        return self.model(inputs_embeds=words + self.language_embeddings(language_ids), **inputs)
