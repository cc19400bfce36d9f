"""Which family and class of PaddleNLP's a folder of transformers goes back to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from converter.common.errors import Problem, SourceError
from converter.open.config.config import CONFIG_NAME, what_is_converted
from converter.open.config.constructor_call import unknown_architecture
from mappings import Family, ModelClass, all_families, find_class, load_family
from mappings.quirks import MODEL_CONFIG


def find_converted_family(
    fields: Mapping[str, Any], manifest: Mapping[str, Any], named: str | None
) -> tuple[Family, ModelClass]:
    """By `named`, else by the class that the manifest names, else by the model type and the rules in config.json, which
    several families may have in common. Raises SourceError."""
    families = [family for family in all_families() if family.target_model_type == fields.get("model_type")]
    if not families:
        text = f"{CONFIG_NAME}: model_type is {fields.get('model_type')!r:.80}. paddle2torch converts"
        raise SourceError(Problem("E011", f"{text} {what_is_converted()}"))
    target = _target(fields)
    if named is not None:
        return _of_family(named, families, target)
    source = manifest.get("source")
    recorded = find_class(source.get("class")) if isinstance(source, dict) else None
    if recorded is not None and recorded[0] in families:
        entry = _class_of_target(recorded[0], target)
        if entry is not None:
            return recorded[0], entry
    found = [(family, entry) for family in families for entry in [_class_of_target(family, target)] if entry]
    if not found:
        raise SourceError(unknown_architecture(target, CONFIG_NAME, families[0]))
    alike = [pair for pair in found if _has_usual_rules(fields, pair[0])] if len(found) > 1 else found
    if len(alike) == 1:
        return alike[0]
    names = ", ".join(f"{family.name} ({entry.source})" for family, entry in alike or found)
    text = f"{CONFIG_NAME}: {target} is what several families become, and no manifest names the one that it was"
    raise SourceError(Problem("E043", f"{text}: {names}. --family NAME chooses"))


def _target(fields: Mapping[str, Any]) -> str:
    names = fields.get("architectures")
    if not (isinstance(names, list) and len(names) == 1 and isinstance(names[0], str)):
        text = f"{CONFIG_NAME}: architectures is {names!r:.80}, expected a list of one class name"
        raise SourceError(Problem("E012", text))
    return names[0]


def _class_of_target(family: Family, target: str) -> ModelClass | None:
    return next((entry for entry in family.classes if entry.target == target), None)


def _of_family(named: str, families: list[Family], target: str) -> tuple[Family, ModelClass]:
    names = [family.name for family in families]
    if named not in names:
        raise SourceError(Problem("E091", f"family is {named!r}, expected one of {', '.join(names)} by {CONFIG_NAME}"))
    family = load_family(named)
    entry = _class_of_target(family, target)
    if entry is None:
        raise SourceError(unknown_architecture(target, CONFIG_NAME, family))
    return family, entry


def _has_usual_rules(fields: Mapping[str, Any], family: Family) -> bool:
    """Whether config.json has the values of the preset that PaddleNLP's class follows."""
    usual = family.usual_preset.values
    quirks = [quirk for quirk in family.quirks if quirk.file == MODEL_CONFIG and quirk.field in usual]
    return all(fields.get(quirk.field, quirk.absent) == usual[quirk.field] for quirk in quirks)
