"""An earlier OUTPUT as a SOURCE, for a class whose head lies in its release_extras.safetensors, and for no other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from converter.common.errors import Problem, SourceError
from converter.common.layout import EXTRAS_FILE, MANIFEST
from converter.files.json_files import read_json
from converter.files.tensors import TensorSet
from converter.open.config.config import CONFIG_NAME
from converter.open.own_manifest import read_own_manifest
from converter.open.safetensors_file import open_safetensors
from mappings import Family, find_class
from mappings.quirks import MODEL_CONFIG, Preset


@dataclass(frozen=True)
class EarlierOutput:
    """A folder that this tool made: the name of the preset that it follows, and whether the user chose that."""

    folder: Path
    behavior: str
    behavior_chosen: bool


def find_earlier_output(folder: Path, architecture: str | None) -> EarlierOutput | None:
    """The earlier OUTPUT that a folder is, where `architecture` is a class whose head lies in it; None where this tool
    did not make the folder. Raises SourceError for every other folder that it made: it is converted already."""
    manifest = read_own_manifest(folder)
    if not manifest:
        return None
    found = find_class(architecture)
    heads = found is not None and found[0].head_names(found[1].source)
    if heads and (folder / EXTRAS_FILE).is_file():
        return EarlierOutput(folder, str(manifest.get("behavior")), manifest.get("behavior_chosen") is True)
    text = f"{folder}: paddle2torch made this folder, so it is converted already. Name the checkpoint that it"
    text += " was made from, which `paddle2torch inspect` shows, or load it with transformers"
    raise SourceError(Problem("E041", text + _describe_kept(folder, manifest)))


def _describe_kept(folder: Path, manifest: dict[str, Any]) -> str:
    """Which classes have the head that the folder keeps apart, or ''."""
    found = find_class(manifest.get("target_class"))
    if found is None or not (folder / EXTRAS_FILE).is_file():
        return ""
    classes = dict.fromkeys(row.source_class for row in found[0].release.pretraining_heads)
    return "".join(f". --architecture {name} takes the head that {EXTRAS_FILE} may have" for name in classes)


def with_extras(found: TensorSet, earlier: EarlierOutput, family: Family) -> TensorSet:
    """The set, and what the earlier run kept apart, under the names and in the layout of the release."""
    kept = open_safetensors(earlier.folder / EXTRAS_FILE, family)
    return replace(found, extras=kept.tensors, files=(*found.files, *kept.files))


def preset_of(earlier: EarlierOutput, family: Family) -> Preset:
    """The preset that the folder follows. Raises SourceError where its config.json does not: somebody changed it."""
    try:
        preset = family.preset_named(earlier.behavior)
    except KeyError:
        text = f"{MANIFEST}: behavior is {earlier.behavior!r:.40}, which {family.title} does not have"
        raise SourceError(Problem("E041", text)) from None
    config, _ = read_json(earlier.folder / CONFIG_NAME)
    absent = {quirk.field: quirk.absent for quirk in family.quirks}
    for name, value in family.values_in(MODEL_CONFIG, preset, config.get("pad_token_id", 0)).items():
        if config.get(name, absent[name]) != value:
            text = f"{CONFIG_NAME}: {name} is {config.get(name)!r:.40}, and {MANIFEST} records {earlier.behavior!r}"
            raise SourceError(Problem("E041", f"{text}, with {value!r}. Convert the checkpoint that it was made from"))
    return preset


def own_fields(family: Family) -> tuple[str, ...]:
    """The fields of an OUTPUT's config.json that its preset and its code decide, and no config of a source has."""
    return (
        "auto_map",
        *(quirk.field for quirk in family.quirks if quirk.file == MODEL_CONFIG and not quirk.from_config),
    )
