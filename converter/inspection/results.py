"""What an inspection finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class MadeFrom:
    """How a folder that `convert` made came about, and whether it is verified.

    - version: of the paddle2torch that made it.
    - origin: the name, address or Hub id and commit of its source; None for a source on that machine.
    - format: of the source's weights.
    - files: name and SHA-256 of each file of the source.
    - mapping: the table that it was converted by, with its version.
    - verified: whether a passing full report is about exactly these bytes.
    - verification: what that report checked, or why these bytes are not verified.
    - trace: whether it brings what Paddle computed, so that `verify` needs no Paddle.
    """

    version: str
    origin: str | None
    format: str
    files: tuple[tuple[str, str], ...]
    mapping: str
    verified: bool
    verification: str
    trace: bool


@dataclass(frozen=True)
class Inspection:
    """Facts about a checkpoint. Class and sizes may be unknown where there are problems.

    - source: where it is on this machine.
    - origin: the name, address or Hub id and commit that `source` was fetched from.
    - format: of the weights.
    - writer: what wrote them, where that is known.
    - files: the weight files.
    - source_class: the model's class in PaddleNLP.
    - target_class: its class in PyTorch.
    - sizes: the model's sizes by the names of the config's fields.
    - labels: the labels of a classifier.
    - dtypes: how many tensors have which dtype.
    - tensors: how many tensors it has.
    - parameters: how many numbers.
    - bytes: how many bytes.
    - tokenizer: whether it has a tokenizer.
    - behavior: the preset of quirks that a conversion follows; empty where the config is refused.
    - behavior_means: what that is.
    - extras: weights that no PyTorch class has a place for; they go into a separate file.
    - dropped: name and reason of each tensor that a conversion leaves out.
    - made_from: of a folder that `convert` made, what it was made from; None for a checkpoint.
    - warnings: what is odd, and stops nothing.
    - problems: the error lines of what would stop a conversion.
    """

    source: Path
    origin: str | None
    format: str
    writer: str
    files: tuple[str, ...]
    source_class: str | None
    target_class: str | None
    sizes: Mapping[str, int]
    labels: tuple[str, ...]
    dtypes: Mapping[str, int]
    tensors: int
    parameters: int
    bytes: int
    tokenizer: bool
    behavior: str
    behavior_means: str
    extras: tuple[str, ...]
    dropped: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    problems: tuple[str, ...]
    made_from: MadeFrom | None = None
