"""What the model reads at once: a prompt and a text, or as much of the text as fits beside the prompt."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Span = tuple[int, int]


@dataclass(frozen=True)
class Window:
    """A prompt and a piece of a text, as tokens."""

    ids: list[int]
    types: list[int] | None  # of each token: 0 in the prompt, 1 in the piece; None where the model takes none
    spans: list[Span]  # of each token: characters of the piece, negative ones of the prompt, (0, 0) between them
    prompt: str
    piece: str
    start: int  # of the piece in the text
    owns: tuple[float, float] = (-math.inf, math.inf)  # where in the piece its answers start; others see those better


class Windows:
    """Cuts texts. max_seq_len: tokens of a window; overlap: tokens that two windows of one piece share.

    How prompt and text are joined is the tokenizer's affair: [CLS] prompt [SEP] text [SEP], or with two [SEP] between.
    with_types: whether the model tells prompt and text apart by token types.
    """

    def __init__(self, tokenizer: Any, max_seq_len: int, overlap: int, with_types: bool) -> None:
        self.tokenizer, self.max_seq_len, self.overlap = tokenizer, max_seq_len, overlap
        self.with_types = with_types
        self.special_tokens = int(tokenizer.num_special_tokens_to_add(pair=True))

    def count_tokens(self, prompt: str) -> int:
        return len(self.tokenizer.tokenize(prompt))

    def room(self, prompt: str) -> int:
        """How many tokens of a text fit beside a prompt: 0 or less is none."""
        return self.max_seq_len - self.special_tokens - self.count_tokens(prompt)

    def cut(self, text: str, prompt: str, step: int | None) -> Iterator[Window]:
        """The windows of a text in pieces of `step` characters, or of the text as a whole."""
        step = max(len(text), 1) if step is None else step
        for start in range(0, max(len(text), 1), step):
            yield from self._fit(prompt, text[start : start + step], start)

    def _fit(self, prompt: str, piece: str, start: int) -> Iterator[Window]:
        """One window, or as many as the tokens of the piece need."""
        prompt_tokens = self.count_tokens(prompt)
        overlap = min(self.overlap, self.room(prompt) // 2)
        rows = self.tokenizer(  # lists: of a single pair transformers' fast tokenizers drop an empty second text
            [prompt],
            [piece],
            truncation="only_second",
            max_length=self.max_seq_len,
            stride=overlap,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            return_token_type_ids=self.with_types,
        )
        first = prompt_tokens + self.special_tokens - 1  # token of the piece: only the last [SEP] is behind it
        # Where two windows overlap, each has the answers that start in its own half.
        middles = [spans[first + overlap // 2][0] for spans in rows["offset_mapping"][1:]]
        owned = zip([-math.inf, *middles], [*middles, math.inf])
        types = rows["token_type_ids"] if self.with_types else [None] * len(rows["input_ids"])
        for ids, row_types, spans, owns in zip(rows["input_ids"], types, rows["offset_mapping"], owned):
            end = spans[prompt_tokens][1] + 1  # of the prompt; its last character is then number -1
            for place in range(1, prompt_tokens + 1):
                spans[place] = (spans[place][0] - end, spans[place][1] - end)
            yield Window(ids, row_types, spans, prompt, piece, start, owns)
