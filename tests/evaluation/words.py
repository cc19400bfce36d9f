"""A tokenizer of the tests: a word is a token, its id its place in a growing vocabulary."""

from __future__ import annotations

import re
from typing import Any


class WordTokenizer:
    """Called as transformers' tokenizers are: [CLS] a [SEP], [CLS] a [SEP] [SEP] b [SEP]. A word of parts
    that `_` joins has several tokens, `~` has none."""

    def __init__(self, types: bool = False, mask: bool = False) -> None:
        self.types, self.mask = types, mask
        self.vocabulary = {"[CLS]": 0, "[PAD]": 1, "[SEP]": 2}

    def pieces(self, text: str) -> list[tuple[int, int, int]]:
        found = []
        for match in re.finditer(r"[^\s_~]+", text):
            number = self.vocabulary.setdefault(match[0], len(self.vocabulary))
            found.append((number, match.start(), match.end()))
        return found

    def __call__(
        self,
        first: str,
        second: str | None = None,
        add_special_tokens: bool = True,
        return_offsets_mapping: bool = False,
        truncation: bool = False,
        max_length: int = 0,
        verbose: bool = True,
    ) -> dict[str, Any]:
        one, other = [number for number, _, _ in self.pieces(first)], None
        if second is not None:
            other = [number for number, _, _ in self.pieces(second)]
        if truncation:
            room = max_length - (2 if other is None else 4)
            while len(one) + len(other or []) > room:
                (one if len(one) >= len(other or []) else other or one).pop()
        ids, types = list(one), [0] * len(one)
        if add_special_tokens:
            ids, types = [0, *one, 2], [0] * (len(one) + 2)
            if other is not None:
                ids, types = [*ids, 2, *other, 2], [*types, *[1] * (len(other) + 2)]
        found: dict[str, Any] = {"input_ids": ids}
        if self.types:
            found["token_type_ids"] = types
        if self.mask:
            found["attention_mask"] = [1] * len(ids)
        if return_offsets_mapping:
            found["offset_mapping"] = [(start, end) for _, start, end in self.pieces(first)]
        return found
