"""Which model a report is about: its class and sizes, the files that it was made from, and the tool."""

from __future__ import annotations

from dataclasses import dataclass, field

#: Of report.json. It changes when a field changes its meaning; new fields may come without.
FORMAT = 1


@dataclass(frozen=True)
class Subject:
    """What was judged, by which version of the tool.

    - target_class: the class of OUTPUT, by its config.
    - source_class: the class of SOURCE, in PaddleNLP.
    - parameters: numbers in the weights of OUTPUT; 0 where they cannot be read.
    - tensors: tensors of OUTPUT.
    - tokens: rows of the word embedding, by OUTPUT's config; 0 where it does not have them.
    - source_files: name and SHA-256 of each weight file of SOURCE.
    - origin: the Hub id and commit of a published OUTPUT; empty for a folder.
    - version: of paddle2torch.
    - format: of report.json.
    """

    target_class: str = ""
    source_class: str = ""
    parameters: int = 0
    tensors: int = 0
    tokens: int = 0
    source_files: dict[str, str] = field(default_factory=dict)
    origin: str = ""
    version: str = ""
    format: int = FORMAT
