"""The official names of a combined file beside which nothing says the names: told by the shapes, or not at all."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple, Union

from converter.common.errors import FileError, Problem
from converter.open.names.naming import match_official
from mappings import SOURCE_CLASSES, load_table
from mappings.expand import expand_names
from mappings.variable_names import ExtraName, OfficialName, load_official

_Shape = tuple[Union[str, int], ...]
#: Large has 24.
_MOST_LAYERS = 100


class BareChoice(NamedTuple):
    """The names of the tensors in the order of the file. Two heads may be named alike and differ in class alone."""

    names: list[str]
    class_is_sure: bool


def choose_official_names(shapes: Sequence[tuple[int, ...]], file: str) -> BareChoice:
    """The one set of official names that has these shapes in text order. Raises FileError for none and for several."""
    fitting = [names for names in _candidates(len(shapes)) if _fits(names, shapes)]
    keys = {tuple(_key(name) for name in names) for names in fitting}
    if len(keys) == 1:
        return BareChoice(fitting[0], len(fitting) == 1)
    if fitting:
        reason = "its shapes fit several sets of official names"
    else:
        reason = f"its {len(shapes)} tensors have no names, and their shapes are not those of the official ones"
    said = "Put the program next to it (.pdmodel, .json or __model__), or the .pdiparams.info"
    raise FileError(Problem("E323", f"{file}: {reason}. {said}"))


def missing_official_names(present: Iterable[str]) -> list[str]:
    """The official names that a set lacks to be that of a model: whole layers, all of a head or of the pooler."""
    names = set(present)
    found = {name: matched[0] for name in names for matched in [match_official(name)] if matched}
    layers = 1 + max((_layer_of(row, name) for name, row in found.items()), default=0)
    if layers > _MOST_LAYERS:
        return [f"the layers before {layers - 1}"]
    there = set(found.values())
    used = [row for row in load_official().names if row.role == "weight" or row in there]
    return [name for row in used for name in _names(row, layers) if name not in names]


def _layer_of(row: OfficialName, name: str) -> int:
    values = row.stored.match(name) or ()
    return max((int(value) for slot, value in zip(row.stored.slots, values) if slot == "layer"), default=0)


def _candidates(count: int) -> Iterator[list[str]]:
    """Every set of that many official names: with and without head, pooler and the extras of pre-training."""
    rows, extras = load_official().names, load_official().extras
    weights = [row for row in rows if row.role == "weight"]
    per_layer = sum(len(list(row.stored.expand(1))) for row in weights if "layer" in row.stored.slots)
    poolers = [row for row in rows if row.role == "pooler"]
    # The release's heads: a file without names is no dynamic graph's, as ERNIEKit's are.
    heads: list[list[OfficialName]] = [[], *([row] for row in rows if row.role == "head" and not row.behavior)]
    together = [name for extra in extras if extra.shape and not extra.alone for name in _names(extra, 0)]
    alone = [name for extra in extras if extra.shape and extra.alone for name in _names(extra, 0)]
    for head, pooler, more, single in itertools.product(heads, ([], poolers), ([], together), ([], alone)):
        if head and head[0].pooler != bool(pooler):
            continue
        fixed = [name for row in (*pooler, *head) for name in _names(row, 0)] + more + single
        fixed += [name for row in weights if "layer" not in row.stored.slots for name in _names(row, 0)]
        layers, left = divmod(count - len(fixed), per_layer)
        if left == 0 and 0 < layers <= _MOST_LAYERS:
            yield sorted(fixed + [n for row in weights if "layer" in row.stored.slots for n in _names(row, layers)])


def _names(row: OfficialName | ExtraName, layers: int) -> list[str]:
    return [row.stored.fill(values) for values in row.stored.expand(layers)]


def _fits(names: Sequence[str], shapes: Sequence[tuple[int, ...]]) -> bool:
    """Whether one value for each size makes the shapes of all names those of the file."""
    sizes: dict[str, int] = {}
    for name, shape in zip(names, shapes):
        expected = _shape_of(name)
        if len(expected) != len(shape):
            return False
        for symbol, size in zip(expected, shape):
            if size != (symbol if isinstance(symbol, int) else sizes.setdefault(symbol, size)):
                return False
    return True


def _key(name: str) -> str:
    """PaddleNLP's key, or the name itself for an extra."""
    matched = match_official(name)
    return matched[1] if matched else name


def _shape_of(name: str) -> _Shape:
    matched = match_official(name)
    if matched is None:
        return next(extra.shape or () for extra in load_official().extras if extra.stored.matches(name))
    row, _ = matched
    values = row.stored.match(name) or ()
    first = tuple("0" if slot == "layer" else value for slot, value in zip(row.stored.slots, values))
    return _symbolic_shapes(row.source_class or SOURCE_CLASSES[0])[row.stored.translate(first, row.key)]


@cache
def _symbolic_shapes(source_class: str) -> dict[str, _Shape]:
    """Key without a prefix -> shape in symbols, as the class's table has it; of the layers only the first."""
    table = load_table(source_class)
    one = {name: range(1) for name in table.ranges}
    return {source: row.shape for row in (*table.backbone, *table.head) for source, _ in expand_names(row, one)}
