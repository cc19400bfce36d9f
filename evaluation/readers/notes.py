"""What a reader notices on its way: oddities are counted, and the first place of each is kept."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Notes:
    """Counts by what was noticed; `warnings` gives one line for each."""

    counts: dict[str, int] = field(default_factory=dict)
    first: dict[str, str] = field(default_factory=dict)

    def count(self, noticed: str, place: str) -> None:
        self.counts[noticed] = self.counts.get(noticed, 0) + 1
        self.first.setdefault(noticed, place)

    def warnings(self) -> list[str]:
        return [f"{noticed}: {count} times, first in {self.first[noticed]}" for noticed, count in self.counts.items()]
