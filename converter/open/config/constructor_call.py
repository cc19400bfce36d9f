"""`model_config.json` of PaddleNLP before 2.5: the constructor call of a class, bound as Python would bind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from converter.common.errors import Problem
from mappings import Family


def flatten_constructor_call(
    data: Mapping[str, Any], file: str, family: Family
) -> tuple[dict[str, Any], list[Problem]]:
    """`model_config.json` (a constructor call: nested, positional or by keyword) as one flat dict of fields."""
    call, problem = _bind(data, file, family)
    if problem:
        return {}, [problem]
    encoder = None
    for name in dict.fromkeys(entry.constructor[0] for entry in family.classes if entry.head != "none"):
        encoder = encoder or call.pop(name, None)
    flat: dict[str, Any] = {"architecture": call.pop("init_class")}
    if encoder is not None:
        if not isinstance(encoder, Mapping):
            return flat, [Problem("E013", f"{file}: the encoder's arguments are {encoder!r:.60}, expected an object")]
        inner, problem = _bind({"init_class": family.base_class.source, **encoder}, file, family)
        if problem:
            return flat, [problem]
        flat.update(inner, architecture=flat["architecture"])
        flat.pop("init_class")
    flat.update(call)
    return flat, []


def _bind(data: Mapping[str, Any], file: str, family: Family) -> tuple[dict[str, Any], Problem | None]:
    """Positional arguments given their names, as Python would."""
    call = dict(data)
    name, arguments = call.get("init_class"), call.pop("init_args", [])
    if not isinstance(name, str) or not isinstance(arguments, list):
        return {}, Problem("E013", f"{file}: init_class must be a class name and init_args a list")
    entry = family.class_named(name)
    if entry is None:
        return {}, unknown_architecture(name, file, family)
    if len(arguments) > len(entry.constructor):
        return {}, Problem(
            "E013", f"{file}: {name} takes {len(entry.constructor)} positional arguments, found {len(arguments)}"
        )
    for position, value in zip(entry.constructor, arguments):
        if position in call:
            return {}, Problem("E013", f"{file}: {position} is given twice, by position and by name")
        call[position] = value
    return call, None


def unknown_architecture(name: object, file: str, family: Family) -> Problem:
    return Problem("E012", f"{file}: the class is {name!r:.80}; known are {', '.join(family.class_names)}")
