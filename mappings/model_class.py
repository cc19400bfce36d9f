"""A class of PaddleNLP's and what it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable

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
    that travels with the weights (of a family with code, unless it is false), and not one of transformers' own.
    `in_paddlenlp`: whether PaddleNLP itself has the class. `caution`: a warning about the class, unless the config's
    fields are those of `caution_unless`. `dropouts`: for each dropout of Paddle's head, the field of the output's
    config that has its probability; null there is that of the hidden states.
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
    dropouts: tuple[str, ...] = ()
    in_paddlenlp: bool = True

    def cautions(self, value_of: Callable[[str], Any]) -> tuple[str, ...]:
        """The warning about the class with the fields of this config, if there is one."""
        harmless = (self.caution_unless or {}).items()
        is_harmless = not self.caution or (harmless and all(value_of(name) == value for name, value in harmless))
        return () if is_harmless else (self.caution,)

    @property
    def reads_pooler(self) -> bool:
        """Whether an output of PaddleNLP's class depends on its pooling layer."""
        return self.pooler and self.head != "extraction"

    @property
    def has_labels(self) -> bool:
        return HEADS[self.head]
