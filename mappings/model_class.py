"""A class of PaddleNLP's and what it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: What a class puts on top of the encoder, and whether its outputs are one per label of the config.
HEADS = {
    **{"none": False, "sequence": True, "token": True, "choice": False, "span": False, "extraction": False},
    **{"masked": False, "pretraining": False},
}


@dataclass(frozen=True)
class ModelClass:
    """A class of PaddleNLP (`source`) and what it becomes (`target`).

    `constructor`: the positional arguments of its constructor before PaddleNLP 2.5. `outputs`: output of the model ->
    module of the head that computes it. `paddle_modules`: module of the target -> its name in Paddle, where they
    differ. `pooler`: whether the target has a pooling layer. `travels`: whether it is a class of the family's code
    that travels with the weights (of a family with code, unless it is
    false), and not one of transformers' own. `caution`: a warning about the class, unless the config's fields are
    those of `caution_unless`.
    """

    source: str
    target: str
    auto: str
    head: str
    constructor: tuple[str, ...]
    pipeline: str | None = None
    outputs: Mapping[str, str] | None = None
    paddle_modules: Mapping[str, str] | None = None
    pooler: bool = True
    travels: bool = False
    caution: str = ""
    caution_unless: Mapping[str, Any] | None = None

    @property
    def has_labels(self) -> bool:
        return HEADS[self.head]
