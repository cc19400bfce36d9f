"""The families: found by their folders, each read and checked as a whole, or refused."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

from mappings.build import FILES, build_family
from mappings.family import Family
from mappings.folders import FACTS, family_names
from mappings.like import complete
from mappings.model_class import ModelClass
from mappings.tensors.rows import Table
from mappings.toml_files import TableError, read_toml


@cache
def all_families() -> tuple[Family, ...]:
    return tuple(load_family(name) for name in family_names())


@cache
def load_family(name: str) -> Family:
    """The family with this folder. Raises KeyError for one that there is not, TableError for one that is not whole."""
    if name not in family_names():
        raise KeyError(name)
    return build_family(name, read_family(name))


@cache
def read_family(name: str) -> dict[str, dict[str, Any]]:
    """The parsed files of a family's folder, by their place in it, with what it takes over from one that it is like.
    Raises TableError."""
    folder = resources.files("mappings").joinpath(name)
    there = [file for file in FILES if folder.joinpath(*file.split("/")).is_file()]
    files = {file: read_toml(name, *file.split("/")) for file in there}
    other = files.get(FACTS, {}).get("like")
    if other is None:
        return files
    if other == name or other not in family_names():
        raise TableError(f"{name} is like {other}, which is no other family")
    return complete(files, read_family(other))


def all_classes() -> Iterator[tuple[Family, ModelClass]]:
    for family in all_families():
        for entry in family.classes:
            yield family, entry


def find_class(name: object) -> tuple[Family, ModelClass] | None:
    """The family and class that PaddleNLP calls so, else the first that transformers does: several families may become
    one class."""
    of_source = ((family, entry) for family, entry in all_classes() if name == entry.source)
    of_target = ((family, entry) for family, entry in all_classes() if name == entry.target)
    return next(of_source, None) or next(of_target, None)


def load_table(source_class: str) -> Table:
    """The table of a PaddleNLP class. Raises KeyError for a class that has none."""
    found = find_class(source_class)
    if found is None or found[1].source != source_class:
        raise KeyError(source_class)
    return found[0].tables[source_class]
