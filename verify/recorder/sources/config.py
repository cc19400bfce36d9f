"""The class and the fields of PaddleNLP's config, from the files next to the weights or from the request."""

from __future__ import annotations

import os
from typing import Any

from verify.protocol.request import Request
from verify.recorder.errors import Refused
from verify.recorder.families import FAMILIES, find_family
from verify.recorder.families.family import Family
from verify.recorder.files import read_json
from verify.recorder.sources.checkpoint import EXTRAS_FILE


def family_of(request: Request) -> Family:
    """The family of a request's checkpoint, by its config, or by the request where there is none."""
    path = find_config(request)
    fields = request.fallback if path is None else read_json(path)
    return find_family(dict(fields, architecture=request.architecture or fields.get("architecture")))


def find_config(request: Request) -> str | None:
    """The config that the request names, else one next to the weights, else one in the folder above."""
    if request.config is not None:
        return request.config
    named = (os.path.join(place, name) for place in _places(request) for name in _config_names(place))
    return next((path for path in named if os.path.isfile(path)), None)


def _places(request: Request) -> list[str]:
    source = request.source
    folder = source if os.path.isdir(source) else os.path.dirname(os.path.abspath(source))
    return [folder, os.path.dirname(os.path.abspath(folder))]


def _config_names(folder: str) -> list[str]:
    return list(dict.fromkeys(name for family in FAMILIES for name in family.config_names(folder)))


def read_config(request: Request, family: Family) -> tuple[str, dict[str, Any], str]:
    """The class, the fields of PaddleNLP's config class, and how they were found. Raises Refused."""
    path = find_config(request)
    if path is None:
        fields = dict(request.fallback)
        name = request.architecture or fields.pop("architecture", None)
        fields.pop("architecture", None)
        if name is None:
            raise Refused("no config.json next to the weights, and the request gives no fallback")
        return class_name(name, family), fields, "no config next to the weights: given by the request"
    fields = read_json(path)
    if family.converted_field and family.converted_field in fields and not with_extras(request):
        raise Refused(f"{path} is of a folder that was converted already: record the checkpoint that it came from")
    how = os.path.basename(path)
    if "init_class" in fields:
        fields = family.flatten_call(fields)
        how += ", a constructor call of PaddleNLP before 2.5, flattened by the recorder"
    else:
        how += ", " + family.config_reader(how)
        names = fields.get("architectures") or []
        fields["init_class"] = names[0] if names else request.fallback.get("architecture")
    fields["init_class"] = request.architecture or fields.get("init_class")
    added = {key: value for key, value in request.fallback.items() if fields.get(key) is None and key != "architecture"}
    fields.update(added)
    name = class_name(fields.pop("init_class"), family)
    return name, fields, how + (f"; the request adds {sorted(added)}" if added else "")


def with_extras(request: Request) -> bool:
    """Whether the checkpoint is a converted folder together with what that kept apart: a class of its own."""
    return any(os.path.basename(path) == EXTRAS_FILE for path in request.files or [])


def class_name(name: str, family: Family) -> str:
    """PaddleNLP's name of a class. Raises Refused for one that the family does not have."""
    name = family.class_aliases.get(name, name)
    if name not in family.classes:
        raise Refused("the class is {!r}, known are {}".format(name, ", ".join(family.classes)))
    return name


def layout_of(request: Request, family: Family) -> tuple[int | None, str | None]:
    """The number of layers and the class, where a config or the request has them: a file without names needs both."""
    named = [os.path.join(place, name) for place in _places(request) for name in reversed(family.config_names(place))]
    fields = dict(request.fallback)
    for path in ([request.config] if request.config else []) + named:
        if os.path.isfile(path):
            fields.update(read_json(path))
    return fields.get("num_hidden_layers"), fields.get("architecture")
