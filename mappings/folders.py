"""Which families there are, and the presets to choose from: cheap to ask, for the help of the command line."""

from __future__ import annotations

from functools import cache
from importlib import resources

from mappings.toml_files import read_toml

FACTS, QUIRKS = "family.toml", "quirks.toml"


@cache
def family_names() -> tuple[str, ...]:
    """Every folder that has a family.toml, by name."""
    folders = (entry for entry in resources.files("mappings").iterdir() if entry.is_dir())
    return tuple(sorted(folder.name for folder in folders if folder.joinpath(FACTS).is_file()))


@cache
def preset_choices() -> tuple[str, ...]:
    """The presets of quirks that a user may ask for, of every family, the usual one first; read without the rest of the
    family (`Family.choices` is the checked list of one)."""
    presets = [preset for name in family_names() for preset in reversed(read_toml(name, QUIRKS)["preset"])]
    return tuple(dict.fromkeys(preset["name"] for preset in presets if preset.get("choice", True)))
