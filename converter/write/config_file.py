"""config.json of the output: what `from_pretrained` needs, with every quirk of Paddle's as a named field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from converter.plan.plan import Plan
from converter.write.new_files import write_file
from mappings import Preset
from mappings.quirks import MODEL_CONFIG


def build_config(plan: Plan, preset: Preset) -> dict[str, Any]:
    """The fields of config.json, in the family's order."""
    values = _all_values(plan, preset)
    return {name: values[name] for name in plan.family.written if name in values}


def _all_values(plan: Plan, preset: Preset) -> dict[str, Any]:
    family, source, labels = plan.family, plan.config, plan.sizes.labels
    values: dict[str, Any] = {
        "architectures": [plan.table.target_class],
        "model_type": family.target_model_type,
        "dtype": plan.loaded_dtype,
        **plan.sizes.fields,
    }
    auto_map = family.auto_map(plan.table.target_class)
    if auto_map:
        values["auto_map"] = auto_map
    for field in family.fields:
        value = source.get(field.name)
        value = field.value if value is None else value
        if value is not None or not field.optional:
            values[field.name] = value
    quirks = family.values_in(MODEL_CONFIG, preset, source.get("pad_token_id"))
    unsaid = {quirk.field: quirk.absent for quirk in family.quirks if quirk.absent is not None}
    values.update({name: value for name, value in quirks.items() if name not in unsaid or value != unsaid[name]})
    values.update(plan.switches)
    for fields in plan.absent.values():
        values.update(fields)
    if labels:
        values["id2label"] = {str(index): label for index, label in enumerate(labels)}
        values["label2id"] = {label: index for index, label in enumerate(labels)}
    return values


def write_json(path: Path, data: Any) -> None:
    """Indented, UTF-8, one line feed at the end: the same bytes for the same data on every system."""
    write_file(path, (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode("utf-8"))
