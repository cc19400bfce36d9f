"""Results of the static check of the weights, and of the comparison of tokenizers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_EXAMPLES = 5
#: Ways through a tokenizer that go on to the model's numbers.
DIRECT, PIPELINE = "text_to_logits", "pipeline"
TO_NUMBERS = (DIRECT, PIPELINE)


@dataclass(frozen=True)
class StaticResult:
    """How many tensors were compared, against what, and which differ."""

    tensors: int
    mismatched: tuple[str, ...]
    #: "source", or "trace" when there is no source to be read.
    against: str = "source"
    #: Tensors whose dtype was converted, and which were therefore compared by the rule of rounding.
    rounded: int = 0


@dataclass
class TokenResult:
    """Compares `texts` inputs in several ways; `mismatched` counts the tokens, arrays and texts that differ over all
    ways. Numbers that were computed from a text are counted in `ways` alone: the model gives them."""

    texts: int
    mismatched: int = 0
    examples: list[dict[str, Any]] = field(default_factory=list)
    problem: str = ""
    #: Way -> how many results were compared, and how many of them differ.
    ways: dict[str, list[int]] = field(default_factory=dict)
    #: Fields and added tokens that differ from SOURCE's, by name, where the trace has them.
    settings: list[str] = field(default_factory=list)

    def add(self, way: str, compared: int, wrong: list[dict[str, Any]]) -> None:
        """Add the results of one way; `wrong` has an example for each result that differs."""
        self.ways[way] = [compared, len(wrong)]
        self.mismatched += len(wrong) if way not in TO_NUMBERS else 0
        self.examples += [{"way": way, **example} for example in wrong[:_EXAMPLES]]

    @property
    def differ_in_numbers_alone(self) -> bool:
        """Whether only ways that go on to the model's numbers differ. Where those differ for given ids too, nothing is
        known to be wrong with the tokenizer."""
        wrong = {way for way, (_, differ) in self.ways.items() if differ}
        return bool(wrong) and wrong <= set(TO_NUMBERS) and not self.settings

    @property
    def from_text(self) -> tuple[int, int]:
        """How many numbers were computed from a text, and how many of them differ."""
        counts = [self.ways[way] for way in TO_NUMBERS if way in self.ways]
        return sum(compared for compared, _ in counts), sum(differ for _, differ in counts)
