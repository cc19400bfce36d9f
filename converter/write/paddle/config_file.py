"""config.json as PaddleNLP's configuration class reads it (2.5 and later)."""

from __future__ import annotations

from typing import Any

from converter.plan.make_back_plan import BackPlan, fields_kept
from mappings.config_fields import PADDLENLP

#: What PaddleNLP loads in where the config names no dtype.
_USUAL_DTYPE = "float32"


def build_paddle_config(plan: BackPlan) -> dict[str, Any]:
    """The fields in alphabetical order, as PaddleNLP writes them: class, sizes, every other field that configs of
    PaddleNLP have and something gives, and the labels."""
    family, forward = plan.opened.family, plan.forward
    config, kept = plan.opened.source.config, plan.opened.kept_fields
    sizes = forward.sizes.fields
    values: dict[str, Any] = {
        "architectures": [plan.table.source_class],
        "model_type": family.model_type,
        **sizes,
    }
    # What PaddleNLP's class takes from its config and knows one value of.
    for row in family.config_fields[PADDLENLP].fixed:
        values[row.field] = sizes[row.equals] if row.equals else row.value
    for field in family.fields:
        if not field.writers or PADDLENLP in field.writers:
            values[field.name] = config.get(field.name)
    values.update({field.name: kept.get(field.name) for field in fields_kept(plan.opened)})
    values.update(forward.switches)
    dtype = plan.opened.fields.get("dtype") or plan.opened.fields.get("torch_dtype")
    values["dtype"] = dtype if dtype != _USUAL_DTYPE else None
    if plan.opened.entry.has_labels and forward.sizes.labels:
        labels = forward.sizes.labels
        values["id2label"] = {str(index): label for index, label in enumerate(labels)}
        values["label2id"] = {label: index for index, label in enumerate(labels)}
    return {name: values[name] for name in sorted(values) if values[name] is not None}
