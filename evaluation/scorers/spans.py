"""Precision, recall and F1 of exact spans, as conlleval and seqeval (not its strict mode) count them.

Tags are IOB1 or IOB2: a span begins at B, and at an I after O, after the beginning of a sentence or after another type.
Paddle's `chunk_eval` (phi/kernels/cpu/chunk_eval_kernel.cc) has the same rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Span = tuple[str, int, int]


@dataclass(frozen=True)
class SpanScore:
    """Spans that are right, that were found and that are there."""

    correct: int
    found: int
    there: int

    @property
    def precision(self) -> float:
        return self.correct / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        return self.correct / self.there if self.there else 0.0

    @property
    def f1(self) -> float:
        return 2 * self.correct / (self.found + self.there) if self.correct else 0.0

    def metrics(self) -> dict[str, float]:
        return {"f1": self.f1, "precision": self.precision, "recall": self.recall}


def spans_of(tags: Sequence[str]) -> list[Span]:
    """Type, first place and the place after the last of each span of one sentence."""
    spans: list[Span] = []
    start, inside = 0, "O"
    for place, tag in enumerate([*tags, "O"]):
        mark, _, kind = tag.partition("-")
        if inside != "O" and (mark != "I" or kind != inside):
            spans.append((inside, start, place))
            inside = "O"
        if mark != "O" and inside == "O":
            start, inside = place, kind
    return spans


def score_spans(gold: Iterable[Sequence[str]], predicted: Iterable[Sequence[str]]) -> SpanScore:
    """Count the spans of sentences. Raises ValueError when a sentence has another number of tags."""
    correct = found = there = 0
    for expected, tags in zip(gold, predicted):
        if len(expected) != len(tags):
            raise ValueError(f"{len(tags)} predictions for {len(expected)} tags")
        right, wanted = spans_of(tags), spans_of(expected)
        correct += len(set(right) & set(wanted))
        found += len(right)
        there += len(wanted)
    return SpanScore(correct, found, there)


def to_iob2(tags: Sequence[str]) -> list[str]:
    """The same spans with B at the beginning of each."""
    written = ["O"] * len(tags)
    for kind, start, end in spans_of(tags):
        written[start:end] = [f"B-{kind}"] + [f"I-{kind}"] * (end - start - 1)
    return written
