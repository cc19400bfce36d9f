"""Names with placeholders: `{a,b}` is each of them, `{layer}` and the like a number, `{any}`, `{weight}` any text."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
#: Layers and counters of a process; a longer run of digits is no number of any file.
_NUMBER = "(0|[1-9][0-9]{0,8})"
_ANY_NUMBER = "(0|[1-9][0-9]*)"
_TEXTS = ("any", "weight")


@dataclass(frozen=True)
class Pattern:
    """A name with placeholders; two patterns with the same ones translate a name."""

    text: str

    @cached_property
    def slots(self) -> tuple[str, ...]:
        return tuple(_PLACEHOLDER.findall(self.text))

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self._expression(_NUMBER))

    @cached_property
    def expression(self) -> str:
        """The regular expression of every name of this form, with numbers of any size."""
        return self._expression(_ANY_NUMBER)

    def _expression(self, number: str) -> str:
        parts = []
        for index, part in enumerate(_PLACEHOLDER.split(self.text)):
            if index % 2 == 0:
                parts.append(re.escape(part))
            elif part in _TEXTS:
                parts.append("(.+)")
            else:
                parts.append(number if "," not in part else "(" + "|".join(map(re.escape, part.split(","))) + ")")
        return "".join(parts)

    def match(self, name: str) -> tuple[str, ...] | None:
        """What stands in the placeholders of a name, or None when it is not of this form."""
        found = self._compiled.fullmatch(name)
        return found.groups() if found else None

    def matches(self, name: str) -> bool:
        return self.match(name) is not None

    def fill(self, values: tuple[str, ...]) -> str:
        remaining = iter(values)
        return _PLACEHOLDER.sub(lambda _: next(remaining), self.text)

    def translate(self, values: tuple[str, ...], target: Pattern) -> str:
        """The target's name for values of this pattern: the same numbers, of each choice the one in the same place."""
        chosen = []
        for value, source_slot, target_slot in zip(values, self.slots, target.slots):
            place = source_slot.split(",").index(value) if "," in source_slot else None
            chosen.append(value if place is None else target_slot.split(",")[place])
        return target.fill(tuple(chosen))

    def expand(self, layers: int) -> Iterator[tuple[str, ...]]:
        """The values of every name with that many layers, layer by layer."""
        ranges = [slot.split(",") if "," in slot else [str(n) for n in range(layers)] for slot in self.slots]
        return itertools.product(*ranges)

    def expand_choices(self) -> Iterator[tuple[str, ...]]:
        """The values of every name, where numbers keep their placeholder."""
        return itertools.product(*(slot.split(",") if "," in slot else [f"{{{slot}}}"] for slot in self.slots))

    def fits(self, target: Pattern) -> bool:
        """Whether the placeholders of both are the same, choices being as many."""
        pairs = zip(self.slots, target.slots)
        same = all(a == b if "," not in a + b else a.count(",") == b.count(",") for a, b in pairs)
        return same and len(self.slots) == len(target.slots)
