"""Descriptions in TOML: read from the package, with every unknown key refused."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import resources
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class TableError(ValueError):
    """A description is wrong in itself. Users never see this: the tests load every one."""


def read_toml(*path: str) -> dict[str, Any]:
    """A file of this package, by the parts of its path."""
    return tomllib.loads(resources.files("mappings").joinpath(*path).read_text(encoding="utf-8"))


def check_keys(data: Mapping[str, Any], where: str, *known: str) -> None:
    """Raises TableError for a key that is not known: a misspelt one would mean nothing."""
    unknown = set(data) - set(known)
    if unknown:
        raise TableError(f"[{where}] has unknown keys: {', '.join(sorted(unknown))}")


def require_keys(data: Mapping[str, Any], where: str, *needed: str) -> None:
    """Raises TableError for a key that is missing."""
    missing = [key for key in needed if key not in data]
    if missing:
        raise TableError(f"[{where}] lacks {', '.join(missing)}")
