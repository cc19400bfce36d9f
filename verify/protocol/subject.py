"""A tokenizer and the texts that it is called with, on both sides, and what the calls of every kind share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Callable

#: Rows of the vocabulary that share a digest.
ROWS = 64
#: Texts that share a padded batch.
BATCH = 8
CHOICES = {"return_attention_mask": True, "return_token_type_ids": True, "return_special_tokens_mask": True}
#: How many results a call has: one for each text, batch of texts, or block of rows; or one.
TEXT, BATCHES, BLOCKS, ONCE = "text", "batches", "blocks", "once"


@dataclass(frozen=True)
class Subject:
    """A tokenizer, and what it is called with. `rows` is the size of the vocabulary; n is the number of a result."""

    tokenizer: Any
    texts: list[str]
    rows: int

    def text(self, n: int) -> str:
        return str(self.texts[n % len(self.texts)])

    def partner(self, n: int) -> str:
        """The second text of a pair."""
        return self.text(n * 7 + 3)

    def sample(self, n: int) -> str:
        """One text of each batch."""
        return self.text(n * BATCH)

    def batch(self, n: int) -> list[str]:
        return [self.text(place) for place in range(n * BATCH, n * BATCH + BATCH)]

    def ids(self, text: str) -> Any:
        return self.tokenizer.convert_tokens_to_ids(self.tokenizer.tokenize(text))

    def block(self, n: int) -> list[int]:
        """Some rows of the vocabulary."""
        return list(range(n * ROWS, min(n * ROWS + ROWS, self.rows)))

    @cached_property
    def token_ids(self) -> list[int]:
        """The ids that a token has: their numbers may have gaps. None of the empty token, which a blank line makes."""
        return sorted(set(int(number) for token, number in self.tokenizer.get_vocab().items() if token))

    def call(self, *words: Any, **options: Any) -> dict[str, Any]:
        """What the tokenizer's call returns, by key: plain lists."""
        encoding = self.tokenizer(*words, **options)
        return {key: plain(encoding[key]) for key in encoding}


def on_the_left(side: str, call: Callable[[Subject, int], Any], on: Subject, n: int) -> Any:
    """A result with one of the tokenizer's sides set to the left meanwhile."""
    usual = getattr(on.tokenizer, side)
    setattr(on.tokenizer, side, "left")
    try:
        return call(on, n)
    finally:
        setattr(on.tokenizer, side, usual)


def plain(value: Any) -> Any:
    """Numbers and lists of them, whatever the container was."""
    if isinstance(value, (list, tuple)):
        # Most are lists of ints as they are: one look at all of them takes a tenth of a call for each.
        return list(value) if set(map(type, value)) == {int} else [plain(item) for item in value]
    return int(value)
