"""Results of tensors added up by kind of tensor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mappings import Family
from verify.report.groups import shows_in_no_output, without_layer
from verify.results.numbers import GradientResult, TensorCoverage, share_of_limit


@dataclass(frozen=True)
class GradientRow:
    """Gradients of one kind of tensor, and the one that is nearest to its limit, or above it."""

    name: str
    tensors: int
    worst: GradientResult
    failed: int


@dataclass(frozen=True)
class CoverageRow:
    """Of one kind of tensor: how many elements the numbers see, and what looks at the rest."""

    name: str
    tensors: int
    elements: int
    seen: int
    rest: str


def by_tensor(results: Iterable[GradientResult]) -> dict[str, list[GradientResult]]:
    """Every input that a tensor's gradient was compared in."""
    found: dict[str, list[GradientResult]] = {}
    for result in results:
        found.setdefault(result.tensor, []).append(result)
    return found


def worst_of(results: Iterable[GradientResult]) -> GradientResult:
    """The one that failed, or came nearest to its limit."""
    return max(results, key=lambda result: (not result.passed, share_of_limit(result)))


def count_failed(results: Sequence[GradientResult]) -> int:
    """How many tensors have a gradient that differs in some input."""
    return len({result.tensor for result in results if not result.passed})


def gradient_rows(family: Family, results: Iterable[GradientResult]) -> list[GradientRow]:
    """In the order of the network; gradients come from its end."""
    kinds: dict[str, list[GradientResult]] = {}
    for result in results:
        kinds.setdefault(family.kind_of(result.tensor), []).append(result)
    return [
        GradientRow(name, len(by_tensor(found)), worst_of(found), count_failed(found))
        for name, found in reversed(kinds.items())
    ]


def coverage_rows(family: Family, entries: Iterable[TensorCoverage]) -> list[CoverageRow]:
    """In the order of the model's parameters."""
    kinds: dict[str, list[TensorCoverage]] = {}
    for entry in entries:
        name = family.kind_of(entry.tensor) + (" (bias)" if shows_in_no_output(family, entry.tensor) else "")
        kinds.setdefault(name, []).append(entry)
    return [
        CoverageRow(
            name,
            len(found),
            sum(entry.elements for entry in found),
            sum(entry.seen for entry in found),
            "; ".join(dict.fromkeys(without_layer(entry.rest) for entry in found if entry.rest)),
        )
        for name, found in kinds.items()
    ]
