"""The config that belongs to a checkpoint: the one that is named, else that next to the weights or one folder above."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from converter.common.errors import Problem, SourceError
from converter.files.json_files import read_json
from converter.files.regular_files import is_file
from converter.files.tensors import SourceFile
from converter.open.config.config import CONFIG_NAME, CONSTRUCTOR_NAME, SourceConfig, read_config, silent_config
from mappings import Family, all_families


def config_names() -> tuple[str, ...]:
    """The names that configs have, in the order in which they are looked for; further ones are known by their form."""
    others = [row.file for family in all_families() for row in family.configs if row.file]
    return (CONFIG_NAME, CONSTRUCTOR_NAME, *dict.fromkeys(others))


def find_config(
    folder: Path, named: Path | None, family: Family, *, of_transformers: bool = False, without: Collection[str] = ()
) -> tuple[SourceConfig, SourceFile | None]:
    """The config that speaks for the weights in `folder`; an empty one when there is none. `without`: fields that are
    not read. Raises SourceError."""
    found = find_config_file(folder, named)
    if found is None:
        return silent_config(family, of_transformers=of_transformers), None
    data, odd = read_json(found)
    data = {name: value for name, value in data.items() if name not in without}
    config, problems = read_config(data, found.name, family, of_transformers=of_transformers)
    if problems:
        raise SourceError(*problems)
    if odd:
        config = replace(config, warnings=(*odd, *config.warnings))
    return config, SourceFile(found, found.name, found.stat().st_size)


def find_config_file(folder: Path, named: Path | None) -> Path | None:
    """Raises SourceError when the named file is not there, or when several could be meant."""
    if named is None:
        places = (folder, folder.absolute().parent)
        return next((path for place in places for path in find_in(place)), None)
    inside = find_in(named) if named.is_dir() else [named]
    found = inside[0] if inside else named / CONFIG_NAME
    if not is_file(found):
        raise SourceError(Problem("E010", f"--config {named}: there is no such file"))
    return found


def find_in(folder: Path) -> list[Path]:
    """The config in a folder, if there is one; what comes after it is not looked at. Raises SourceError for several
    that are known by the form of their names, and no other."""
    first = next((folder / name for name in config_names() if is_file(folder / name)), None)
    if first is not None:
        return [first]
    forms = [row for family in all_families() for row in family.configs if row.form]
    try:
        names = sorted(name for name in os.listdir(folder) if any(row.fits(name) for row in forms))
    except OSError:
        return []
    if len(names) > 1:
        raise SourceError(Problem("E010", f"several configs: {', '.join(names[:8])}. --config FILE names the model's"))
    return [folder / name for name in names if is_file(folder / name)]
