"""Results of the self-test, which injects faults into a verified OUTPUT and looks for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Optional

from converter.common.errors import Problem
from verify.results.as_json import OMIT, OMIT_IF_EMPTY, OMIT_IF_NONE
from verify.results.numbers import SmallestFault

#: In place of a site, for a fault that was not looked for in a model of this size.
NOT_TRIED = "not tried"
#: How `by_check` counts a fault that was found by running OUTPUT; the checks that run neither framework have names.
_CHECKS = {"eager": "numbers", "sdpa": "numbers with sdpa", "tokens": "tokens"}


@dataclass
class Found:
    """What numbers or tokens show of one fault, as the process that runs OUTPUT hands it back."""

    #: "eager", "sdpa" or "tokens" -> where it was found first; "" where it was not.
    shown: dict[str, str]
    #: Of one unit in the last place: how far beyond its limit it is, where that is least.
    smallest: Optional[SmallestFault] = None


@dataclass(frozen=True)
class Outcome:
    """One injected fault, and what found it. `eager`, `sdpa` and `tokens` name the first place where it showed: ""
    where it did not, None where it was not looked for."""

    fault: str
    kind: str
    found: bool
    #: The checks of bytes and fields that found it.
    static: tuple[str, ...] = ()
    eager: Optional[str] = field(default=None, metadata=OMIT_IF_NONE)
    sdpa: Optional[str] = field(default=None, metadata=OMIT_IF_NONE)
    tokens: Optional[str] = field(default=None, metadata=OMIT_IF_NONE)
    #: Of one unit in the last place: how many times its limit the difference is.
    times_limit: Optional[float] = field(default=None, metadata=OMIT_IF_NONE)
    #: Why it need not show in numbers and tokens.
    unseen: str = field(default="", metadata=OMIT_IF_EMPTY)
    smallest: Optional[SmallestFault] = field(default=None, metadata=OMIT)

    @classmethod
    def of(cls, fault: str, kind: str, static: Sequence[str], found: Found, unseen: str = "") -> Outcome:
        """Combine the result of the static checks with that of numbers and tokens."""
        smallest, is_found = found.smallest, bool(static) or _shows_everywhere(found.shown)
        ratio = None if smallest is None else smallest.ratio
        parts = {"times_limit": ratio, "unseen": unseen, "smallest": smallest}
        return cls(fault, kind, is_found, tuple(static), **found.shown, **parts)  # type: ignore[arg-type]

    @property
    def shown(self) -> dict[str, str]:
        """Each way of running OUTPUT that was tried -> the first place where the fault showed."""
        places = {"eager": self.eager, "sdpa": self.sdpa, "tokens": self.tokens}
        return {way: place for way, place in places.items() if place is not None}

    @property
    def found_without_static(self) -> bool:
        """Whether every way of running OUTPUT that was tried shows it."""
        return _shows_everywhere(self.shown)


def _shows_everywhere(shown: Mapping[str, str]) -> bool:
    return bool(shown) and all(shown.values()) and NOT_TRIED not in shown.values()


@dataclass(frozen=True)
class KindCount:
    """How many faults of one kind were injected, and how many of them were found."""

    planted: int
    found: int
    without_static: int


@dataclass(frozen=True)
class Explained:
    """A fault that numbers and tokens cannot show, and why."""

    fault: str
    why: str


@dataclass(frozen=True)
class WithoutStatic:
    """What numbers and tokens alone find; of the rest, what is explained and what is not."""

    found: int = 0
    explained: list[Explained] = field(default_factory=list)
    unexplained: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class SelfTest:
    """Every injected fault, counted by kind and by the checks that found it."""

    faults: int = 0
    found: int = 0
    #: What no check found.
    missed: list[str] = field(default_factory=list)
    by_kind: dict[str, KindCount] = field(default_factory=dict)
    by_check: dict[str, int] = field(default_factory=dict)
    without_static: WithoutStatic = field(default_factory=WithoutStatic)
    seed: int = 0
    outcomes: list[Outcome] = field(default_factory=list)

    @classmethod
    def of(cls, outcomes: list[Outcome], seed: int = 0, static: bool = True) -> SelfTest:
        """Count the outcomes. `static=False`: the checks of bytes and fields were not run, so a fault that numbers and
        tokens are known not to show is not missed."""
        missed = [each.fault for each in outcomes if not each.found and (static or not each.unseen)]
        by_check: Counter[str] = Counter()
        for outcome in outcomes:
            by_check.update(set(outcome.static))
            by_check.update(_CHECKS[way] for way, place in outcome.shown.items() if place not in ("", NOT_TRIED))
        not_shown = [outcome for outcome in outcomes if not outcome.found_without_static]
        alone = WithoutStatic(
            len(outcomes) - len(not_shown),
            [Explained(each.fault, each.unseen) for each in not_shown if each.unseen],
            [each.fault for each in not_shown if not each.unseen],
        )
        by_kind = {kind: _count(outcomes, kind) for kind in sorted({outcome.kind for outcome in outcomes})}
        found = sum(outcome.found for outcome in outcomes)
        return cls(len(outcomes), found, missed, by_kind, dict(sorted(by_check.items())), alone, seed, outcomes)

    @property
    def smallest(self) -> list[SmallestFault]:
        """Of every unit in a last place that numbers must show, how far beyond its limit it is."""
        return [each.smallest for each in self.outcomes if each.smallest is not None and not each.unseen]

    def problems(self) -> list[Problem]:
        """A missed fault means that the verdict on OUTPUT cannot be relied on."""
        return [
            Problem("E409", f"the verifier missed a fault that was injected: {missed}. Its verdict proves nothing")
            for missed in self.missed
        ]


def _count(outcomes: Sequence[Outcome], kind: str) -> KindCount:
    of_kind = [outcome for outcome in outcomes if outcome.kind == kind]
    return KindCount(
        len(of_kind),
        sum(outcome.found for outcome in of_kind),
        sum(outcome.found_without_static for outcome in of_kind),
    )
