"""Examples as the two models and the scorer need them: made once, from the data and OUTPUT's tokenizer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Prepared:
    """What a task knows about its examples besides the token ids, which are in the job.

    `places` and `languages` have one entry for each example; `gold` is the task's own: labels' ids for texts.
    """

    task: str
    form: str
    languages: list[str]
    places: list[str]
    gold: list[Any]
    #: Names of the classes by their ids.
    labels: list[str] = field(default_factory=list)
    #: The protocol in words, for the report: mask, longest text, layer, direction.
    protocol: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def rows_of(self, language: str) -> list[int]:
        """The examples of one language."""
        return [row for row, other in enumerate(self.languages) if other == language]

    def each_language(self) -> list[str]:
        """The languages in the order of the data."""
        return list(dict.fromkeys(self.languages))
