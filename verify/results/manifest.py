"""paddle2torch.json of OUTPUT, which `convert` wrote: read strictly, and what it records."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from converter.common.errors import Problem
from converter.common.layout import MANIFEST
from mappings.registry import all_families
from verify.results.json_objects import read_object

#: The behavior that a manifest or a trace means which has no such field: there was no choice when it was written.
FIRST_BEHAVIOR = "paddlenlp"


def behavior_names() -> list[str]:
    """Every preset of quirks, of every family."""
    return list(dict.fromkeys(preset.name for family in all_families() for preset in family.presets))


def read_manifest(output: Path) -> tuple[dict[str, Any] | None, list[Problem]]:
    """The manifest, or None and why not."""
    path = output / MANIFEST
    if not path.is_file():
        return None, [Problem("E406", f"{MANIFEST} is lost: what OUTPUT was made from is unknown. Convert again")]
    try:
        data = read_object(path)
        if not isinstance(data["tensors"], list) or not isinstance(data["files"], dict):
            raise ValueError("it has no list of tensors, or no table of files")
        by_target(data)
        extras_by_target(data)
        source_sums(data)
        known = behavior_names()
        if behavior_of(data) not in known:
            raise ValueError(f"its behavior is {data['behavior']!r:.40}, expected one of {', '.join(known)}")
        return data, []
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return None, [Problem("E406", f"{MANIFEST} is not usable: {error}. Convert again")]


def by_target(manifest: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """target name -> its entry."""
    return {str(entry["target"]): dict(entry) for entry in manifest["tensors"]}


def extras_by_target(manifest: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The same for the weights that the model has no place for."""
    return {str(entry["target"]): dict(entry) for entry in manifest.get("extras", [])}


def behavior_of(manifest: Mapping[str, Any] | None) -> str:
    """The preset of quirks that OUTPUT follows."""
    return str((manifest or {}).get("behavior", FIRST_BEHAVIOR))


def behavior_chosen(manifest: Mapping[str, Any] | None) -> bool:
    """Whether `convert` was asked for that preset; else it took the one of the release that wrote SOURCE."""
    return (manifest or {}).get("behavior_chosen") is True


def source_sums(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Name and SHA-256 of each file that OUTPUT was made from."""
    return {str(file["name"]): str(file["sha256"]) for file in manifest["source"]["files"]}


def weight_sums(manifest: Mapping[str, Any]) -> list[str]:
    """SHA-256 of each weight file that OUTPUT was made from."""
    return [digest for name, digest in source_sums(manifest).items() if not name.endswith(".json")]
