"""Shapes and dtypes of the tensors, against those of the table."""

from __future__ import annotations

from collections.abc import Mapping

from converter.common.errors import Problem, fold_names
from converter.files.tensors import FLOATING, SourceTensor
from mappings import Mapped


def check_shapes(mapped: tuple[Mapped, ...], tensors: Mapping[str, SourceTensor]) -> list[Problem]:
    problems = []
    for entry in mapped:
        tensor = tensors.get(entry.source)
        if tensor is None or tensor.shape == entry.source_shape:
            continue
        if tensor.shape == entry.source_shape[::-1]:
            hint = "Already in PyTorch layout? Convert the file that Paddle wrote"
        else:
            hint = "Is the config another model's? --config FILE names the right one"
        problems.append(
            Problem("E201", f"{entry.source} is {list(tensor.shape)}, expected {list(entry.source_shape)}. {hint}")
        )
    return problems


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
