"""What the recorder is asked for: written by verify as JSON, or made from the words of a command line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    """One recording. Paths are strings, as they go through JSON."""

    #: The checkpoint's folder, or one weight file.
    source: str
    #: Weight files that were checked and may be opened; None trusts everything in SOURCE.
    files: list[str] | None = None
    #: config.json; None looks next to the weights.
    config: str | None = None
    #: Config fields for weights that have no config.
    fallback: dict[str, Any] = field(default_factory=dict)
    #: The class, in place of the config's.
    architecture: str | None = None
    #: Removed from the names that begin with it; None removes the usual wrappers where every name has them.
    prefix: str | None = None
    #: The dtype that every weight is rounded to first, if OUTPUT has another than SOURCE.
    round_to: str | None = None
    #: The tokenizer's folder.
    tokenizer: str | None = None
    #: A file of texts to tokenize, one a line; None takes the recorder's own.
    texts: str | None = None
    precision: str = "float64"
    #: Of the inputs that are drawn.
    seed: int = 20211
    #: The rules that the model follows (one of the family's quirks); None takes SOURCE's.
    behavior: str | None = None
    #: The quirk of the release that wrote SOURCE, where verify knows it.
    source_behavior: str | None = None
    #: A file of texts to run in the place of the recorder's cases: an evaluation's job, for which answers are written.
    job: str | None = None
    #: How many of the job's texts are run at once.
    batch_size: int = 32
    #: The trace, or the answers, to write.
    output: str = ""
