"""Numbered names (`linear_7.w_0`): which weight each is, inferred from its rank among its kind, or refused.

What the ranks mean is data: mappings/FAMILY/names/automatic.toml.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from converter.common.errors import FileError, Problem
from converter.files.regular_files import quoted
from converter.files.tensors import SourceTensor
from mappings import Family
from mappings.names.automatic import AutomaticNames, NumberedHead, NumberedKind
from mappings.tensors.patterns import Pattern


class Ranked(NamedTuple):
    """Variable name -> key without the backbone's prefix, and separately those of the head, which never has one."""

    backbone: dict[str, str]
    head: dict[str, str]
    source_class: str


class _Unclear(ValueError):
    """Why the numbers do not identify the weights."""


#: number -> part ("w_0") -> variable name
_Numbered = dict[int, dict[str, str]]


def is_automatic(name: str, family: Family) -> bool:
    return _parse(name, family.automatic) is not None


def rank_names(stored: Mapping[str, SourceTensor], file: str, family: Family) -> Ranked:
    """What each numbered variable is. Other names are passed over. Raises FileError with every problem."""
    names = family.automatic
    problems: list[str] = []
    kinds = _gather(stored, names, problems)
    layers: dict[str, int] = {}
    for kind in names.kinds:
        found = kinds[kind.name]
        problems += _check_parts(found, kind)
        if kind.layer and kind.name != names.head_kind:
            count = len(found) - len(kind.begin)
            layers[kind.name] = count // len(kind.layer)
            if count < len(kind.layer) or count % len(kind.layer):
                each = f"{len(kind.begin)} and {len(kind.layer)} per layer"
                problems.append(f"{len(found)} of {kind.name}_N, where {family.title} has {each}")
        elif not kind.layer and len(found) != len(kind.begin):
            problems.append(f"{len(found)} of {kind.name}_N, where {family.title} has {len(kind.begin)}")
    if problems:
        raise FileError(*(_refusal(file, text) for text in problems))
    try:
        return _assign(kinds, family, min(layers.values()), stored)
    except _Unclear as error:
        raise FileError(_refusal(file, str(error))) from None


def _refusal(file: str, text: str) -> Problem:
    message = f"{file}: the numbered names do not identify the weights: {text}"
    return Problem("E323", f"{message}. Save the model with PaddleNLP's save_pretrained, or keep its .pdiparams.info")


def _parse(name: str, names: AutomaticNames) -> tuple[str, int, str] | None:
    """Kind, number and part of a numbered name."""
    for kind in names.kinds:
        for part in kind.parts:
            text = f"{kind.name}_{{number}}.{part}"
            found = _pattern(text).match(name) or _pattern(text + names.suffix.text).match(name)
            if found:
                return kind.name, int(found[0]), part
    return None


_PATTERNS: dict[str, Pattern] = {}


def _pattern(text: str) -> Pattern:
    return _PATTERNS.setdefault(text, Pattern(text))


def _gather(stored: Iterable[str], names: AutomaticNames, problems: list[str]) -> dict[str, _Numbered]:
    kinds: dict[str, _Numbered] = {kind.name: {} for kind in names.kinds}
    for name in stored:
        parsed = _parse(name, names)
        if parsed is not None:
            kind, number, part = parsed
            before = kinds[kind].setdefault(number, {}).setdefault(part, name)
            if before != name:
                problems.append(f"{quoted(before)} and {quoted(name)} have one number")
    return kinds


def _check_parts(found: _Numbered, kind: NumberedKind) -> list[str]:
    lacking = [f"{kind.name}_{number}" for number, parts in sorted(found.items()) if len(parts) != len(kind.parts)]
    return [f"not both a weight and a bias: {', '.join(lacking[:12])}"] if lacking else []


def _assign(kinds: Mapping[str, _Numbered], family: Family, layers: int, stored: Mapping[str, SourceTensor]) -> Ranked:
    names = family.automatic
    backbone: dict[str, str] = {}
    rest: list[tuple[int, dict[str, str]]] = []
    after = 0
    for kind in names.kinds:
        ordered = sorted(kinds[kind.name].items())
        keys = [key.text for key in kind.begin]
        keys += [key.fill((str(layer),)) for layer in range(layers) for key in kind.layer]
        if len(ordered) < len(keys):
            raise _Unclear(f"{len(ordered)} of {kind.name}_N, where {layers} layers have {len(keys)}")
        numbers = [number for number, _ in ordered[: len(keys)]]
        if numbers[-1] - numbers[0] != len(numbers) - 1:
            raise _Unclear(f"a number is missing between {kind.name}_{numbers[0]} and {kind.name}_{numbers[-1]}")
        for key, (_, parts) in zip(keys, ordered):
            backbone.update({name: f"{key}.{kind.parts[part]}" for part, name in parts.items()})
        if kind.name == names.head_kind:
            rest, after = ordered[len(keys) :], numbers[-1] + 1
    head_kind = next(kind for kind in names.kinds if kind.name == names.head_kind)
    hidden = _hidden_size(backbone, stored, family)
    shapes = [stored[parts["w_0"]].shape for _, parts in rest]
    if rest and rest[0][0] == after and shapes[0] == _sizes(names.pooler_shape, hidden):
        backbone.update({name: f"{names.pooler}.{head_kind.parts[part]}" for part, name in rest[0][1].items()})
        rest, shapes = rest[1:], shapes[1:]
    if not rest:
        return Ranked(backbone, {}, family.base_class.source)
    head = _choose_head(names, hidden, shapes)
    named = {
        name: f"{key}.{head_kind.parts[part]}"
        for key, (_, parts) in zip(head.keys, rest)
        for part, name in parts.items()
    }
    return Ranked(backbone, named, head.source_class)


def _hidden_size(backbone: Mapping[str, str], stored: Mapping[str, SourceTensor], family: Family) -> int:
    words = next(name for name, key in backbone.items() if key == family.probe)
    if len(stored[words].shape) != 2:
        raise _Unclear(f"{words} is {list(stored[words].shape)}, and would be the word embedding")
    return stored[words].shape[1]


def _sizes(shape: tuple[str | int, ...], hidden: int) -> tuple[int | None, ...]:
    """The sizes of a shape by their names; None for those that may be any."""
    return tuple(size if isinstance(size, int) else hidden if size == "hidden_size" else None for size in shape)


def _choose_head(names: AutomaticNames, hidden: int, shapes: list[tuple[int, ...]]) -> NumberedHead:
    for head in names.heads:
        expected = _sizes(head.shape, hidden)
        if len(shapes) == len(head.keys) and all(_fits(shape, expected) for shape in shapes):
            return head
    found = ", ".join(str(list(shape)) for shape in shapes[:8])
    known = ", or ".join(head.description for head in reversed(names.heads))
    raise _Unclear(f"after the layers come {len(shapes)} of linear_N ({found}), where a head has {known}")


def _fits(shape: tuple[int, ...], expected: tuple[int | None, ...]) -> bool:
    return len(shape) == len(expected) and all(b is None or a == b for a, b in zip(shape, expected))
