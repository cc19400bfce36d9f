"""Results to JSON and back: a dataclass is an object with a key for each field, checked against the field's type."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from typing import Any, Callable, TypeVar, Union

T = TypeVar("T")
#: Metadata of fields that are left out of the JSON: where they are empty, where they are None, always.
OMIT_IF_EMPTY: dict[str, Callable[[Any], bool]] = {"omit": lambda value: not value}
OMIT_IF_NONE: dict[str, Callable[[Any], bool]] = {"omit": lambda value: value is None}
OMIT: dict[str, Callable[[Any], bool]] = {"omit": lambda value: True}
#: Types whose values JSON has itself; an int is also a float there.
_PLAIN: dict[Any, tuple[type, ...]] = {str: (str,), int: (int,), float: (float, int), bool: (bool,)}


def to_json(value: Any) -> Any:
    """Dicts, lists and plain values for `json.dumps`; tuples become lists."""
    if is_dataclass(value):
        pairs = ((each, getattr(value, each.name)) for each in fields(value))
        return {each.name: to_json(item) for each, item in pairs if not each.metadata.get("omit", _never)(item)}
    if isinstance(value, Mapping):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    return value


def from_json(kind: type[T], data: Any) -> T:
    """An object of the dataclass `kind` from what `to_json` made of one. A field with a default may be missing. Raises
    KeyError for another field that is missing, TypeError for one that is unknown or has another type."""
    if not isinstance(data, Mapping):
        raise TypeError(f"{kind.__name__} is {data!r:.40}, expected an object")
    known = _fields_of(kind)  # type: ignore[arg-type]
    unknown = data.keys() - known.keys()
    if unknown:
        raise TypeError(f"{kind.__name__} has no field {min(map(str, unknown))!r:.40}")
    lacking = [name for name, (each, _) in known.items() if name not in data and _is_required(each)]
    if lacking:
        raise KeyError(lacking[0])
    return kind(**{name: read_value(known[name][1], value, name) for name, value in data.items()})


def read_value(kind: Any, value: Any, name: str) -> Any:
    """`value` as the type `kind`: plain types, Optional, list, tuple[X, ...], dict[str, X] and dataclasses."""
    if kind is Any or type(value) is kind:  # Most are plain; a dict or list has no bare type here.
        return value
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is Union:
        given = next(each for each in arguments if each is not type(None))
        return None if value is None else read_value(given, value, name)
    if is_dataclass(kind):
        return from_json(kind, value)  # type: ignore[arg-type]
    if origin is dict and isinstance(value, Mapping):
        return {key: read_value(arguments[1], item, name) for key, item in value.items()}
    if origin in (list, tuple) and isinstance(value, list):
        return origin(_read_items(arguments[0], value, name))
    if origin is None and isinstance(value, _PLAIN[kind]) and (kind is bool or not isinstance(value, bool)):
        return value
    raise TypeError(f"{name} is {value!r:.40}, expected {getattr(kind, '__name__', kind)}")


def _never(value: Any) -> bool:
    return False


def _read_items(kind: Any, values: Iterable[Any], name: str) -> list[Any]:
    return [read_value(kind, item, name) for item in values]


def _is_required(each: Field[Any]) -> bool:
    return each.default is MISSING and each.default_factory is MISSING


@cache
def _fields_of(kind: type) -> dict[str, tuple[Field[Any], Any]]:
    """Name -> field and resolved type."""
    hints = typing.get_type_hints(kind)
    return {each.name: (each, hints[each.name]) for each in fields(kind)}
