"""Training mode: with dropout replaced by the identity the numbers are those of eval mode, and every call of dropout
has Paddle's probability."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from verify.numbers.loading import LoadedModel

#: Heads with a dropout of their own in front of their linear layer.
_WITH_DROPOUT = ("sequence", "token", "choice")
_OF_HEAD = "classifier_dropout"


@contextmanager
def dropout_as_identity() -> Iterator[Counter[float]]:
    """Replace dropout with the identity and count the calls per probability."""
    from torch.nn import functional

    asked: Counter[float] = Counter()
    dropout, attend = functional.dropout, functional.scaled_dot_product_attention

    def keep(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
        if training and p:
            asked[float(p)] += 1
        return input

    def attend_to_all(
        query: Any, key: Any, value: Any, attn_mask: Any = None, dropout_p: float = 0.0, *rest: Any, **more: Any
    ) -> Any:
        if dropout_p:
            asked[float(dropout_p)] += 1
        return attend(query, key, value, attn_mask, 0.0, *rest, **more)

    functional.dropout, functional.scaled_dot_product_attention = keep, attend_to_all
    try:
        yield asked
    finally:
        functional.dropout, functional.scaled_dot_product_attention = dropout, attend


def expected_dropouts(loaded: LoadedModel) -> Counter[float]:
    """How often Paddle's class calls dropout with which probability (MODEL.md, 11): embeddings, probabilities, after
    the attention's and the feed-forward layers' last linear layer; transformers' place between the two feed-forward
    layers; before a classifier, or as its class has them."""
    config = loaded.model.config
    layers, hidden = int(config.num_hidden_layers), float(config.hidden_dropout_prob)
    asked: Counter[float] = Counter({hidden: 1 + 2 * layers})
    asked[float(config.attention_probs_dropout_prob)] += layers
    if hasattr(config, "act_dropout"):  # Other families have no dropout between the two.
        asked[hidden if config.act_dropout is None else float(config.act_dropout)] += layers
    own = loaded.model_class.dropouts if loaded.model_class is not None else ()
    for field in own or (_OF_HEAD,) * (loaded.head in _WITH_DROPOUT):
        value = getattr(config, field)
        asked[hidden if value is None else float(value)] += 1
    del asked[0.0]
    return asked


def describe_dropouts(asked: Counter[float]) -> str:
    return " and ".join(f"{count} times with {p}" for p, count in sorted(asked.items())) or "nowhere"
