"""Numbered names (`linear_7.w_0`): which weight each is, inferred from its rank among its kind, or refused.

What the ranks mean is data: mappings/FAMILY/names/automatic.toml.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from converter.common.errors import NamesError, Problem
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


#: Part ("w_0") -> variable name, of one number.
_Parts = dict[str, str]
_Numbered = dict[int, _Parts]


class _Found(NamedTuple):
    """A numbered layer of a file."""

    number: int
    parts: _Parts


def is_automatic(name: str, family: Family) -> bool:
    return _parse(name, family.automatic) is not None


def rank_names(stored: Mapping[str, SourceTensor], file: str, family: Family) -> Ranked:
    """What each numbered variable is. Other names are passed over. Raises NamesError with every problem."""
    names = family.automatic
    problems: list[str] = []
    kinds = _gather(stored, names, problems)
    layers: dict[str, int] = {}
    lacking = 0
    for kind in names.kinds:
        found = kinds[kind.name]
        problems += _check_parts(found, kind, names.has_lone_biases and kind.name == names.head_kind)
        further = names.further_counts(kind.name)
        if kind.layer and kind.name != names.head_kind:
            count = len(found) - len(kind.begin)
            layers[kind.name], left = divmod(count, len(kind.layer))
            if count < len(kind.layer) or left not in further:
                each = f"{len(kind.begin)} and {len(kind.layer)} per layer"
                problems.append(f"{len(found)} of {kind.name}_N, where {family.title} has {each}")
        elif not kind.layer:
            most = len(kind.begin) + len(kind.optional) + max(further)
            if not len(kind.begin) <= len(found) <= most:
                lacking += max(len(kind.begin) - len(found), len(found) - most)
                has = str(len(kind.begin)) if most == len(kind.begin) else f"{len(kind.begin)} to {most}"
                problems.append(f"{len(found)} of {kind.name}_N, where {family.title} has {has}")
    if problems:
        raise NamesError(*(_refusal(file, text) for text in problems), lacking=lacking)
    try:
        return _assign(kinds, family, min(layers.values()), stored)
    except _Unclear as error:
        raise NamesError(_refusal(file, str(error))) from None


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


def _check_parts(found: _Numbered, kind: NumberedKind, lone_biases: bool) -> list[str]:
    """`lone_biases`: a head of the kind may have a layer of which only the bias is stored."""
    lacking = [
        f"{kind.name}_{number}"
        for number, parts in sorted(found.items())
        if len(parts) != len(kind.parts) and not (lone_biases and list(parts) == ["b_0"])
    ]
    return [_lack(lacking)] if lacking else []


def _lack(names: list[str]) -> str:
    return f"not both a weight and a bias: {', '.join(names[:12])}"


def _assign(kinds: Mapping[str, _Numbered], family: Family, layers: int, stored: Mapping[str, SourceTensor]) -> Ranked:
    names = family.automatic
    backbone: dict[str, str] = {}
    rest: dict[str, list[_Found]] = {}
    after = 0
    for kind in names.kinds:
        ordered = [_Found(*item) for item in sorted(kinds[kind.name].items())]
        keys = [key.text for key in kind.begin]
        keys += [key.fill((str(layer),)) for layer in range(layers) for key in kind.layer]
        if len(ordered) < len(keys):
            raise _Unclear(f"{len(ordered)} of {kind.name}_N, where {layers} layers have {len(keys)}")
        _check_in_order(ordered[: len(keys)], kind)
        for key, found in zip(keys, ordered):
            backbone.update({name: kind.key(key, part) for part, name in found.parts.items()})
        rest[kind.name] = ordered[len(keys) :]
        if kind.name == names.head_kind:
            after = ordered[len(keys) - 1].number + 1
    sizes = _sizes_of(backbone, stored, family)
    of_head = rest[names.head_kind]
    next_one = of_head and of_head[0].number == after
    if names.pooler and next_one and _shape(of_head[0], stored) == _sized(names.pooler_shape, sizes):
        backbone.update(_name_rest(_kind(names, names.head_kind), [names.pooler], [of_head.pop(0)]))
    head = _choose_head(names, sizes, rest, stored) if _is_more_than_optional(names, rest) else None
    named: dict[str, str] = {}
    if head is not None:
        for kind_name, of_kind in {names.head_kind: head.keys, **head.further}.items():
            named.update(_name_rest(_kind(names, kind_name), of_kind, rest[kind_name]))
            rest[kind_name] = []
    for kind in names.kinds:
        backbone.update(_name_rest(kind, kind.optional, rest[kind.name]))
    return Ranked(backbone, named, head.source_class if head is not None else family.base_class.source)


def _check_in_order(found: list[_Found], kind: NumberedKind) -> None:
    """The layers of the backbone are all there, and whole. Raises _Unclear."""
    if found and found[-1].number - found[0].number != len(found) - 1:
        raise _Unclear(f"a number is missing between {kind.name}_{found[0].number} and {kind.name}_{found[-1].number}")
    lacking = [f"{kind.name}_{one.number}" for one in found if len(one.parts) != len(kind.parts)]
    if lacking:
        raise _Unclear(_lack(lacking))


def _kind(names: AutomaticNames, name: str) -> NumberedKind:
    return next(kind for kind in names.kinds if kind.name == name)


def _name_rest(kind: NumberedKind, keys: Iterable[str], found: Iterable[_Found]) -> dict[str, str]:
    return {name: kind.key(key, part) for key, one in zip(keys, found) for part, name in one.parts.items()}


def _is_more_than_optional(names: AutomaticNames, rest: Mapping[str, list[_Found]]) -> bool:
    return any(len(rest[kind.name]) > len(kind.optional) for kind in names.kinds)


def _sizes_of(backbone: Mapping[str, str], stored: Mapping[str, SourceTensor], family: Family) -> dict[str, int]:
    words = next(name for name, key in backbone.items() if key == family.probe)
    if len(stored[words].shape) != 2:
        raise _Unclear(f"{words} is {list(stored[words].shape)}, and would be the word embedding")
    return dict(zip(("vocab_size", "hidden_size"), stored[words].shape))


def _sized(shape: tuple[str | int, ...], sizes: Mapping[str, int]) -> tuple[int | None, ...]:
    """The sizes of a shape by their names; None for those that may be any."""
    return tuple(size if isinstance(size, int) else sizes.get(size) for size in shape)


def _shape(found: _Found, stored: Mapping[str, SourceTensor]) -> tuple[int, ...]:
    """The shape of the weight; of the bias where that alone is stored."""
    return stored[found.parts.get("w_0") or found.parts["b_0"]].shape


def _choose_head(
    names: AutomaticNames,
    sizes: Mapping[str, int],
    rest: Mapping[str, list[_Found]],
    stored: Mapping[str, SourceTensor],
) -> NumberedHead:
    shapes = [_shape(found, stored) for found in rest[names.head_kind]]
    for head in names.heads:
        expected = [_sized(shape, sizes) for shape in head.shapes]
        counted = all(
            len(rest[kind.name]) - len(head.further.get(kind.name, ())) in (0, len(kind.optional))
            for kind in names.kinds
            if kind.name != names.head_kind
        )
        if counted and len(shapes) == len(expected) and all(map(_fits, shapes, expected)):
            return head
    found = ", ".join(str(list(shape)) for shape in shapes[:8])
    known = ", or ".join(head.description for head in reversed(names.heads))
    raise _Unclear(f"after the layers come {len(shapes)} of {names.head_kind}_N ({found}), where a head has {known}")


def _fits(shape: tuple[int, ...], expected: tuple[int | None, ...]) -> bool:
    return len(shape) == len(expected) and all(b is None or a == b for a, b in zip(shape, expected))
