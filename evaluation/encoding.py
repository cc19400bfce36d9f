"""Texts to token ids with OUTPUT's tokenizer, as its usual call gives them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

from verify.protocol.evaluation_job import pack_texts

if TYPE_CHECKING:
    import numpy as np

#: Texts that are tokenized at once.
_BLOCK = 256


@dataclass(frozen=True)
class Layout:
    """Ids of special tokens: before and after a text; before, between and after a pair; and the types of its two."""

    before: list[int]
    after: list[int]
    pair_before: list[int]
    between: list[int]
    pair_after: list[int]
    #: Types of a pair: before it, of the first text, between, of the second, behind.
    pair_types: tuple[list[int], int, list[int], int, list[int]]

    @classmethod
    def of(cls, encoder: Encoder) -> Layout:
        """Found by encoding two texts of one word each, whose ids differ."""
        first, second = "a", "1"
        one, other = encoder.plain(first), encoder.plain(second)
        alone = list(encoder.tokenizer(first)["input_ids"])
        pair = encoder.tokenizer(first, second)
        ids = list(pair["input_ids"])
        types = list(pair.get("token_type_ids") or [0] * len(ids))
        start = _place(one, alone, 0)
        left = _place(one, ids, 0)
        right = _place(other, ids, left + len(one))
        return cls(
            alone[:start],
            alone[start + len(one) :],
            ids[:left],
            ids[left + len(one) : right],
            ids[right + len(other) :],
            (types[:left], types[left], types[left + len(one) : right], types[right], types[right + len(other) :]),
        )


def _place(part: list[int], ids: list[int], start: int) -> int:
    """Where some ids stand in others. Raises ValueError when they do not."""
    for place in range(start, len(ids) - len(part) + 1):
        if part and ids[place : place + len(part)] == part:
            return place
    raise ValueError("the tokenizer gives a text other ids alone than between special tokens")


@dataclass
class Encoder:
    """A tokenizer and the longest text that the model takes. `cut`: the numbers of the texts that were longer."""

    tokenizer: Any
    longest: int
    cut: list[int] = field(default_factory=list)
    #: Every text that was given, once.
    texts: dict[str, None] = field(default_factory=dict)
    ids: list[np.ndarray] = field(default_factory=list)
    types: list[np.ndarray] = field(default_factory=list)

    def usual_keys(self) -> list[str]:
        """What the tokenizer's call returns when it is asked for nothing."""
        return list(self.tokenizer("a").keys())

    def add(self, texts: Iterable[tuple[str, str | None]]) -> Iterator[int]:
        """Encode texts and pairs; gives the number of tokens of each."""
        waiting = iter(texts)
        while block := list(islice(waiting, _BLOCK)):
            # Truncation does not tell whether it cut: that is asked for only where it must.
            whole = [self._call(first, second, None) for first, second in block]
            for (first, second), found in zip(block, whole):
                if len(found["input_ids"]) > self.longest:
                    self.cut.append(len(self.ids))
                    found = self._call(first, second, self.longest)
                self.put(found["input_ids"], found.get("token_type_ids"))
                yield len(found["input_ids"])

    def _call(self, first: str, second: str | None, longest: int | None) -> Any:
        self.texts.update(dict.fromkeys(text for text in (first, second) if text is not None))
        options = {"truncation": True, "max_length": longest} if longest is not None else {"verbose": False}
        return self.tokenizer(first, second, **options) if second is not None else self.tokenizer(first, **options)

    def add_words(self, words: Sequence[str]) -> tuple[list[tuple[int, int]], int]:
        """Encode a sentence, each word alone: for each word where its sub-tokens begin and how many there are (none for
        one that gives none, or behind the cut), and the number of tokens of all."""
        layout = self.layout
        room = self.longest - len(layout.before) - len(layout.after)
        pieces: list[tuple[int, int]] = []
        inner: list[int] = []
        was_cut = False
        for word in words:
            found = self.plain(word)
            kept = found[: room - len(inner)]
            was_cut = was_cut or len(kept) < len(found)
            pieces.append((len(layout.before) + len(inner), len(kept)))
            inner += kept
        if was_cut:
            self.cut.append(len(self.ids))
        self.put([*layout.before, *inner, *layout.after], None)
        return pieces, len(self.ids[-1])

    def plain(self, text: str) -> list[int]:
        """The ids of a text without special tokens."""
        self.texts[text] = None
        return list(self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])

    def with_characters(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """The same, and the first character and the one behind the last of each token."""
        self.texts[text] = None
        found = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        return list(found["input_ids"]), [(int(start), int(end)) for start, end in found["offset_mapping"]]

    def put(self, ids: Sequence[int], types: Sequence[int] | None) -> None:
        """Add a text that is made of ids already. No types are those of one text."""
        import numpy as np

        self.ids.append(np.array(ids, np.int32))
        if self.has_types:
            self.types.append(np.zeros(len(ids), np.int32) if types is None else np.array(types, np.int32))

    @cached_property
    def has_types(self) -> bool:
        return "token_type_ids" in self.usual_keys()

    @cached_property
    def layout(self) -> Layout:
        """The special tokens around one text, and those of a pair, as the tokenizer's own call puts them."""
        return Layout.of(self)

    def arrays(self) -> dict[str, Any]:
        """ids, offsets and types of a job."""
        import numpy as np

        offsets = np.concatenate([[0], np.cumsum([len(ids) for ids in self.ids])]).astype(np.int64)
        return {
            "ids": np.concatenate(self.ids),
            "offsets": offsets,
            "types": np.concatenate(self.types) if self.types else None,
        }

    def text_arrays(self) -> dict[str, Any]:
        """Every text and the ids of the tokenizer's usual call, for Paddle's tokenizer to be compared with."""
        texts = list(self.texts)
        ids = [list(self.tokenizer(text, verbose=False)["input_ids"]) for text in texts]
        return pack_texts(texts, ids)

    def warnings(self, languages: Sequence[str]) -> list[str]:
        """How many texts were cut, in which languages. `languages`: one for each text, or for each of equally many
        texts that belong together."""
        if not self.cut:
            return []
        each = len(self.ids) // len(languages)
        counts = count_by_language(languages[number // each] for number in self.cut)
        text = f"{len(self.cut):,} of {len(self.ids):,} texts have more than {self.longest} tokens and were cut"
        return [f"{text} ({counts})"]


def count_by_language(languages: Iterable[str]) -> str:
    """`de 3, fr 1`: the most frequent first."""
    return ", ".join(f"{language} {count:,}" for language, count in Counter(languages).most_common())
