"""Which family a SOURCE is of: the one that is asked for, else that of its config, else that of the class, else any."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from converter.common.errors import Paddle2TorchError, Problem, SourceError
from converter.files.json_files import read_json
from converter.open.config.find_config import find_config_file
from mappings import Family, all_families, find_class, load_family
from mappings.refused import refused_by


def candidate_families(
    folder: Path, config: Path | None, named: str | None, architecture: str | None = None
) -> tuple[Family, ...]:
    """The families that the weights in `folder` may be of, at least one. Without a config it is that of the class that
    is asked for. Raises SourceError for a name that is no family's, and for a config that cannot be chosen."""
    families = all_families()
    _refuse_files(folder)
    if named is not None:
        if named not in [family.name for family in families]:
            known = ", ".join(family.name for family in families)
            raise SourceError(Problem("E091", f"family is {named!r}, expected one of {known}"))
        return (load_family(named),)
    found = find_config_file(folder, config)
    if found is None:
        of_class = [one for one in families if any(architecture == entry.source for entry in one.classes)]
        return tuple(of_class) or families
    try:
        data, _ = read_json(found)
    except Paddle2TorchError:  # The reader that comes next reports what is wrong.
        return families
    _refuse_config(data, found.name)
    family = _family_of(data)
    if family is not None:
        return (family,)
    return tuple(one for one in families if one.config_file(found.name, data) is not None) or families


def _refuse_files(folder: Path) -> None:
    """Raises SourceError for the tokenizer of a model that is refused."""
    try:
        found = refused_by("files", os.listdir(folder))
    except OSError:
        return
    if found is not None:
        raise SourceError(Problem("E011", f"{found[1]}: {found[0].text}"))


def _refuse_config(data: Mapping[str, Any], file: str) -> None:
    """Raises SourceError for the config of a model that is refused."""
    names = data.get("architectures")
    classes = [*(names if isinstance(names, list) else []), data.get("init_class")]
    found = refused_by("classes", classes) or refused_by("model_types", [data.get("model_type")])
    if found is not None:
        raise SourceError(Problem("E011", f"{file} names {found[1]}: {found[0].text}"))


def _family_of(data: Mapping[str, Any]) -> Family | None:
    by_type = next((one for one in all_families() if one.model_type == data.get("model_type")), None)
    if by_type is not None:
        return by_type
    names = data.get("architectures")
    name = names[0] if isinstance(names, list) and names else data.get("init_class")
    found = find_class(name) if isinstance(name, str) else None
    return found[0] if found is not None else None
