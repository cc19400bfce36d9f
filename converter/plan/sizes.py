"""Derive the model's sizes from the tensors' shapes, and check them against the config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from converter.common.errors import Problem
from converter.files.tensors import SourceTensor
from converter.open.config.config import SourceConfig
from converter.open.config.field_reader import MOST_LAYERS
from mappings import Family, Scheme, Table
from mappings.model_fields import Size
from mappings.tensors.patterns import Pattern


@dataclass(frozen=True)
class Sizes:
    """Every size of the family's, by its field in config.json, and the labels' names."""

    fields: Mapping[str, int] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def by_field(self) -> dict[str, int]:
        """The sizes that the tables' rows are expanded with."""
        return {**self.fields, **({"num_labels": len(self.labels)} if self.labels else {})}


def resolve_sizes(
    config: SourceConfig, table: Table, tensors: Mapping[str, SourceTensor], scheme: Scheme
) -> tuple[Sizes | None, list[Problem]]:
    """The sizes that the config gives, else the tensors; the plan then checks every tensor against them.

    A size that PaddleNLP computes from others is computed here too, whatever its config holds; only where the file has
    the target's own names it is read off its tensor.
    """
    family, problems = config.family, []
    sizes: dict[str, int] = {}
    warnings: list[str] = []
    for size in family.sizes:
        if size.times:
            continue
        value = config.get(size.field)
        if size.tensor or size.layer:
            shown = _read(size, family, tensors, scheme) if size.prefer == "tensor" or not value else None
            if value and shown and value != shown:
                warnings.append(f"{config.file} has {size.field} {value}, the tensors {shown}, which is taken")
            value = shown or value or size.default
            if not value:
                text = f"neither the config nor the tensors show {size.field}. Give --config FILE"
                problems.append(Problem("E105", text))
                continue
        elif value is None:
            where = f"{config.file} lacks" if config.file else "no config gives"
            option = f"--{size.field.replace('_', '-')} N"
            problems.append(Problem("E010", f"{where} {size.field}, and weights do not show it. Give {option}"))
            continue
        sizes[size.field] = value
    problems = sorted(problems, key=lambda problem: problem.code == "E010") + _check_heads(sizes)
    if problems:
        return None, problems
    labels, of_labels, problem = _resolve_labels(config, table, tensors)
    if problem:
        return None, [problem]
    for size in family.sizes:
        if size.times:
            product = sum(sizes[other] * factor for other, factor in size.times.items())
            read = scheme.identity or size.read_tensor == "always"
            sizes[size.field] = (_read(size, family, tensors, scheme) if read else None) or product
    in_order = {size.field: sizes[size.field] for size in family.sizes}
    return Sizes(in_order, labels, (*warnings, *of_labels)), []


def sizes_shown(
    sizes: Mapping[str, int], family: Family, tensors: Mapping[str, SourceTensor], scheme: Scheme
) -> dict[str, int]:
    """The sizes that the tensors show otherwise than `sizes`."""
    shown = {size.field: _read(size, family, tensors, scheme) for size in family.sizes if size.tensor}
    return {name: value for name, value in shown.items() if value and name in sizes and value != sizes[name]}


def _check_heads(sizes: Mapping[str, int]) -> list[Problem]:
    hidden, heads = sizes.get("hidden_size"), sizes.get("num_attention_heads")
    if hidden is None or heads is None or (heads >= 1 and hidden % heads == 0):
        return []
    return [Problem("E015", f"hidden_size {hidden} does not divide into {heads} attention heads")]


def _read(size: Size, family: Family, tensors: Mapping[str, SourceTensor], scheme: Scheme) -> int | None:
    """The size as the tensors show it; None where they do not."""
    if size.layer:
        return _count_layers(family, tensors, scheme)
    name = family.translate(size.tensor) if scheme.identity else size.tensor
    return _axis(tensors, scheme.prefix + name, size.axis)


def _axis(tensors: Mapping[str, SourceTensor], name: str, axis: int) -> int | None:
    tensor = tensors.get(name)
    return tensor.shape[axis] if tensor is not None and len(tensor.shape) > axis else None


def _count_layers(family: Family, tensors: Mapping[str, SourceTensor], scheme: Scheme) -> int | None:
    """One more than the highest layer number: a gap below it then shows as missing tensors."""
    layer = family.layer_size.layer
    pattern = Pattern(family.translate(layer) if scheme.identity else layer)
    prefix = scheme.prefix
    found = [pattern.match(name[len(prefix) :]) for name in tensors if name.startswith(prefix)]
    numbers = [int(values[0]) for values in found if values]
    # A number as large as that comes from a damaged name: every layer has several tensors.
    return max(numbers) + 1 if numbers and max(numbers) < min(len(tensors), MOST_LAYERS) else None


def _resolve_labels(
    config: SourceConfig, table: Table, tensors: Mapping[str, SourceTensor]
) -> tuple[tuple[str, ...], tuple[str, ...], Problem | None]:
    """Label names, warnings, and what stops the work."""
    named = config.labels or ()
    entry = config.family.class_named(table.source_class)
    if entry is not None and entry.head == "span" and len(named) not in (0, 2):
        text = f"{config.file} names {len(named)} labels; question answering has start and end: the names are left out"
        return (), (text,), None
    bias = next((row.source.text for row in table.head if row.shape == ("num_labels",)), None)
    if bias is None or config.labels is not None:
        return named, (), None
    # PaddleNLP writes no id2label for exactly two labels: two is what such a config means.
    # A config that never has labels leaves it to the tensor.
    silent = not config.file or config.is_classless
    count = _axis(tensors, bias, 0) if silent else 2
    if not count:
        return (), (), Problem("E105", f"neither the config nor {bias} show the number of labels")
    labels = tuple(f"LABEL_{index}" for index in range(count))
    text = f"no config gives label names: LABEL_0 to LABEL_{count - 1} are taken"
    return labels, (text,) if silent else (), None
