"""Infer the release's variable names from tensor shapes, for a combined file that comes without a program."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple, TypeVar, Union

from converter.common.errors import NamesError, Problem, UnknownNames, about
from converter.open.names.recognise import match_release
from mappings import Family
from mappings.names.release import ExtraName, ReleaseName
from mappings.tensors.expand import row_names

_Shape = tuple[Union[str, int], ...]
_T = TypeVar("_T")
#: Large has 24.
_MOST_LAYERS = 100


class BareChoice(NamedTuple):
    """The names of the tensors in the order of the file. Two heads may be named alike and differ in class alone."""

    names: list[str]
    class_is_sure: bool


def choose_release_names(shapes: Sequence[tuple[int, ...]], file: str, family: Family) -> BareChoice:
    """The one set of the release's names that has these shapes in text order. Raises NamesError for none or several."""
    fitting = [names for names in _candidates(len(shapes), family) if _fits(names, shapes, family)]
    keys = {tuple(_key(name, family) for name in names) for names in fitting}
    if len(keys) == 1:
        return BareChoice(fitting[0], len(fitting) == 1)
    if fitting:
        reason = "its shapes fit several sets of names of the release"
    else:
        reason = f"its {len(shapes)} tensors have no names, and their shapes are not those of the official ones"
    advice = "Put the program next to it (.pdmodel, .json or __model__), or the .pdiparams.info"
    error = NamesError if family.release.names else UnknownNames
    raise error(Problem("E323", about(file, f"{reason}. {advice}")))


def missing_release_names(present: Iterable[str], family: Family) -> list[str]:
    """The release's names that a set lacks to be that of a model: whole layers, all of a head or of the pooler."""
    names = set(present)
    found = {name: matched[0] for name in names for matched in [match_release(name, family)] if matched}
    layers = 1 + max((_layer_of(row, name) for name, row in found.items()), default=0)
    if layers > _MOST_LAYERS:
        return [f"the layers before {layers - 1}"]
    there = set(found.values())
    used = [row for row in family.release.names if (row.role == "weight" and not row.optional) or row in there]
    return [name for row in used for name in _names(row, layers) if name not in names]


def _layer_of(row: ReleaseName, name: str) -> int:
    values = row.stored.match(name) or ()
    return max((int(value) for slot, value in zip(row.stored.slots, values) if slot == "layer"), default=0)


def _candidates(count: int, family: Family) -> Iterator[list[str]]:
    """Every set of that many of the release's names: with and without head, pooler and the extras of pre-training."""
    rows, extras = family.release.names, family.release.extras
    weights = [row for row in rows if row.role == "weight" and not row.optional]
    optional = [row for row in rows if row.role == "weight" and row.optional]
    per_layer = sum(len(list(row.stored.expand(1))) for row in weights if "layer" in row.stored.slots)
    if not per_layer:  # The family has no list of its release's names.
        return
    poolers = [row for row in rows if row.role == "pooler"]
    # Of the release itself: a file without names is no dynamic graph's, as those of others are.
    of_heads = [row for row in rows if row.role == "head" and not row.preset]
    classes = dict.fromkeys(name for row in of_heads for name in row.classes)
    heads: list[list[ReleaseName]] = [[], *([row for row in of_heads if name in row.classes] for name in classes)]
    together = [name for extra in extras if extra.shape and not extra.alone for name in _names(extra, 0)]
    alone = [name for extra in extras if extra.shape and extra.alone for name in _names(extra, 0)]
    pairs = itertools.product(_with_and_without(poolers), _with_and_without(optional))
    more_names = [one + two for one in _with_and_without(together) for two in _with_and_without(alone)]
    for head, (pooler, tables), more in itertools.product(heads, pairs, more_names):
        if head and head[0].pooler != bool(pooler):
            continue
        fixed = [name for row in (*pooler, *head, *tables) for name in _names(row, 0)] + more
        fixed += [name for row in weights if "layer" not in row.stored.slots for name in _names(row, 0)]
        layers, left = divmod(count - len(fixed), per_layer)
        if left == 0 and 0 < layers <= _MOST_LAYERS:
            yield sorted(fixed + [n for row in weights if "layer" in row.stored.slots for n in _names(row, layers)])


def _with_and_without(some: list[_T]) -> list[list[_T]]:
    return [[], some] if some else [[]]


def _names(row: ReleaseName | ExtraName, layers: int) -> list[str]:
    return [row.stored.fill(values) for values in row.stored.expand(layers)]


def _fits(names: Sequence[str], shapes: Sequence[tuple[int, ...]], family: Family) -> bool:
    """Whether one value for each size makes the shapes of all names those of the file."""
    sizes: dict[str, int] = {}
    for name, shape in zip(names, shapes):
        expected = _shape_of(name, family)
        if len(expected) != len(shape):
            return False
        for symbol, size in zip(expected, shape):
            if size != (symbol if isinstance(symbol, int) else sizes.setdefault(symbol, size)):
                return False
    return True


def _key(name: str, family: Family) -> str:
    """PaddleNLP's key, or the name itself for an extra."""
    matched = match_release(name, family)
    return matched[1] if matched else name


def _shape_of(name: str, family: Family) -> _Shape:
    matched = match_release(name, family)
    if matched is None:
        return next(extra.shape or () for extra in family.release.extras if extra.stored.matches(name))
    row, _ = matched
    values = row.stored.match(name) or ()
    first = tuple("0" if slot == "layer" else value for slot, value in zip(row.stored.slots, values))
    return _symbolic_shapes(family, row.source_class)[row.stored.translate(first, row.key)]


@cache
def _symbolic_shapes(family: Family, source_class: str) -> dict[str, _Shape]:
    """Key without a prefix -> shape by names of sizes, as the class's table has it; of the layers only the first."""
    table = family.tables[source_class] if source_class else family.base_table
    return {source: row.shape for row in (*table.backbone, *table.head) for source, _ in row_names(row, 1)}
