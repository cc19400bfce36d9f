"""Shapes and dtypes of the tensors, against those of the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from converter.common.errors import Problem, fold_names
from converter.files.tensors import FLOATING, SourceTensor
from mappings import Mapped

#: Shapes that are wrong for one reason are told one by one up to this number.
_FEW = 3
_TURNED = "Already in PyTorch layout? Convert the file that Paddle wrote"
_OTHER = "Is the config another model's? --config FILE names the right one"


@dataclass(frozen=True)
class OtherSizes:
    """Sizes that the tensors show and the config contradicts, in words, and the shapes that every tensor has then."""

    text: str
    shapes: Mapping[str, tuple[int, ...]]


def check_shapes(
    mapped: tuple[Mapped, ...], tensors: Mapping[str, SourceTensor], other: OtherSizes | None = None
) -> list[Problem]:
    """Tensors of another shape than expected, those with one cause together."""
    wrong: dict[str, list[Mapped]] = {}
    for entry in mapped:
        tensor = tensors.get(entry.source)
        if tensor is None or tensor.shape == entry.source_shape:
            continue
        if other is not None and tensor.shape == other.shapes.get(entry.source):
            cause = other.text
        else:
            cause = _TURNED if tensor.shape == entry.source_shape[::-1] else _OTHER
        wrong.setdefault(cause, []).append(entry)
    return [problem for cause, entries in wrong.items() for problem in _describe_shapes(cause, entries, tensors)]


def _describe_shapes(cause: str, entries: list[Mapped], tensors: Mapping[str, SourceTensor]) -> list[Problem]:
    each = [f"{one.source} is {list(tensors[one.source].shape)}, expected {list(one.source_shape)}" for one in entries]
    hint = cause if cause in (_TURNED, _OTHER) else _OTHER
    if len(entries) <= _FEW:
        return [Problem("E201", f"{text}. {hint}") for text in each]
    if cause == hint:
        return [Problem("E201", f"{len(entries)} tensors have another shape, the first: {each[0]}. {hint}")]
    return [Problem("E201", f"{len(entries)} tensors are made for {cause}. The first: {each[0]}. {hint}")]


def check_dtypes(mapped: tuple[Mapped, ...], tensors: Mapping[str, SourceTensor]) -> list[Problem]:
    wrong: dict[str, list[str]] = {}
    for entry in mapped:
        tensor = tensors.get(entry.source)
        if tensor is not None and tensor.dtype not in FLOATING:
            wrong.setdefault(tensor.dtype, []).append(entry.source)
    return [
        Problem("E202", f"{fold_names(names)}: stored as {dtype}, expected one of {', '.join(FLOATING)}")
        for dtype, names in wrong.items()
    ]
