"""What a user can specify about a SOURCE."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SourceOptions:
    """What the files of SOURCE do not specify, or what is taken instead; None leaves it to them."""

    #: Name of the class, PaddleNLP's or transformers'.
    architecture: str | None = None
    #: A config.json or model_config.json, or the folder with one.
    config: Path | None = None
    num_attention_heads: int | None = None
    #: The folder with vocab.txt and sentencepiece.bpe.model.
    tokenizer: Path | None = None
    #: The name of a preset of quirks.
    behavior: str | None = None
    #: What stands in front of the model's names and is taken off; None takes off the usual wrappers.
    prefix: str | None = None
    #: The name of a family (a folder of mappings).
    family: str | None = None
