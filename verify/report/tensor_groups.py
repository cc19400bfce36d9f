"""The tensors of a model by kind, so that a page of a large model is as short as that of a small one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from verify.results.numbers import GradientResult, share_of_limit

_PARAMETER = re.compile(r"\.(weight|bias)$")
_TABLE = re.compile(r"embeddings\.(\w+_embeddings)")
_IN_LAYER = re.compile(r"(?:encoder\.)?layers\.\d+\.(?:self_attn\.)*(.+)")


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


def kind_of(tensor: str) -> str:
    """The module that a weight or bias belongs to; the same in every layer."""
    module = _PARAMETER.sub("", tensor.replace("ernie_m.", "", 1))
    match = _IN_LAYER.fullmatch(module) or _TABLE.fullmatch(module)
    return match[1] if match else module


def read_gradients(report: Mapping[str, Any]) -> list[GradientResult]:
    """The gradients as report.json holds them."""
    return [GradientResult(**entry) for entry in report["gradients"]]


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


def gradient_rows(results: Iterable[GradientResult]) -> list[GradientRow]:
    """In the order of the network; gradients come from its end."""
    kinds: dict[str, list[GradientResult]] = {}
    for result in results:
        kinds.setdefault(kind_of(result.tensor), []).append(result)
    return [
        GradientRow(name, len(by_tensor(found)), worst_of(found), count_failed(found))
        for name, found in reversed(kinds.items())
    ]


def coverage_rows(entries: Iterable[Mapping[str, Any]]) -> list[CoverageRow]:
    kinds: dict[str, list[Mapping[str, Any]]] = {}
    for entry in entries:
        # A bias of the keys shows in no output: beside its weight that could not be seen.
        name = kind_of(entry["tensor"]) + (" (bias)" if entry["tensor"].endswith("k_proj.bias") else "")
        kinds.setdefault(name, []).append(entry)
    return [
        CoverageRow(
            name,
            len(found),
            sum(entry["elements"] for entry in found),
            sum(entry["seen"] for entry in found),
            "; ".join(dict.fromkeys(_plain(entry["rest"]) for entry in found if entry["rest"])),
        )
        for name, found in kinds.items()
    ]


def _plain(rest: str) -> str:
    """The same words for every layer."""
    return re.sub(r"\blayers\.\d+\.(self_attn\.)?", "", rest)
