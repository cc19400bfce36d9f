"""Texts to token ids with OUTPUT's tokenizer, as its usual call gives them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

#: Texts that are tokenized at once.
_BLOCK = 256


@dataclass
class Encoder:
    """A tokenizer and the longest text that the model takes. `cut` counts the texts that were longer."""

    tokenizer: Any
    longest: int
    cut: int = 0
    ids: list[np.ndarray] = field(default_factory=list)
    types: list[np.ndarray] = field(default_factory=list)

    def usual_keys(self) -> list[str]:
        """What the tokenizer's call returns when it is asked for nothing."""
        return list(self.tokenizer("a").keys())

    def add(self, texts: Iterable[tuple[str, str | None]]) -> Iterator[int]:
        """Encode texts and pairs; gives the number of tokens of each."""
        import numpy as np

        has_types = "token_type_ids" in self.usual_keys()
        waiting = iter(texts)
        while block := list(islice(waiting, _BLOCK)):
            # Truncation does not tell whether it cut: that is asked for only where it must.
            whole = [self._call(first, second, None) for first, second in block]
            for (first, second), found in zip(block, whole):
                if len(found["input_ids"]) > self.longest:
                    self.cut += 1
                    found = self._call(first, second, self.longest)
                self.ids.append(np.array(found["input_ids"], np.int32))
                if has_types:
                    self.types.append(np.array(found["token_type_ids"], np.int32))
                yield len(found["input_ids"])

    def _call(self, first: str, second: str | None, longest: int | None) -> Any:
        options = {"truncation": True, "max_length": longest} if longest is not None else {"verbose": False}
        return self.tokenizer(first, second, **options) if second is not None else self.tokenizer(first, **options)

    def arrays(self) -> dict[str, Any]:
        """ids, offsets and types of a job."""
        import numpy as np

        offsets = np.concatenate([[0], np.cumsum([len(ids) for ids in self.ids])]).astype(np.int64)
        return {
            "ids": np.concatenate(self.ids),
            "offsets": offsets,
            "types": np.concatenate(self.types) if self.types else None,
        }

    def warnings(self) -> list[str]:
        if not self.cut:
            return []
        return [f"{self.cut:,} of {len(self.ids):,} texts have more than {self.longest} tokens and were cut"]
