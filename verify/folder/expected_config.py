"""The fields that OUTPUT's config.json must have: from SOURCE's config or, without SOURCE, from that of Paddle's model,
which a trace has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mappings.family import Family
from mappings.model_class import ModelClass
from mappings.model_fields import ConfigField
from mappings.quirks import MODEL_CONFIG, Preset
from mappings.registry import find_class
from verify.results.trace import Trace

if TYPE_CHECKING:
    from converter.plan.plan import Plan

#: What PaddleNLP loads in where the config names no dtype, whatever the file holds (tried with 2.8.1).
USUAL_DTYPE = "float32"
#: PaddleNLP writes no names for exactly two labels.
_TWO_LABELS = {"0": "LABEL_0", "1": "LABEL_1"}


@dataclass(frozen=True)
class Expected:
    """Fields and their values, the names of the labels (none: the class has none), and the longest text in tokens.

    `dtype` among the fields is None where nothing specifies it. `preset`: the quirks that OUTPUT follows.
    """

    family: Family
    preset: Preset
    fields: Mapping[str, Any]
    labels: tuple[str, ...]
    longest: int

    @property
    def absent(self) -> dict[str, Any]:
        """Field -> what config.json without it means, where that is not null."""
        quirks = {quirk.field: quirk.absent for quirk in self.family.quirks if quirk.file == MODEL_CONFIG}
        found = {**{field.name: field.absent for field in self.family.fields}, **quirks}
        return {name: value for name, value in found.items() if value is not None}


def expected_of_plan(plan: Plan, behavior: str) -> Expected:
    """From SOURCE itself."""
    family, model_class = class_named(plan.table.source_class)
    given = {field.name: plan.config.get(field.name) for field in _written_fields(family)}
    given.update({name: value for name, value in plan.switches.items() if name in given})
    sizes = dict(plan.sizes.fields)
    dtype = plan.config.dtype or USUAL_DTYPE
    return _expect(family, model_class, behavior, given, sizes, {}, dtype, plan.sizes.labels)


def expected_of_trace(trace: Trace, behavior: str) -> Expected:
    """From the config of the model that Paddle built: the same fields, SOURCE not being there."""
    config, family = trace.head["config"], trace.family
    written = [field for field in _written_fields(family) if not field.writers]
    given = {field.name: field.computed(config.get(field.name)) for field in written}
    labels: tuple[str, ...] = ()
    if trace.model_class.has_labels:
        named = config.get("id2label") or _TWO_LABELS
        labels = tuple(str(named[key]) for key in sorted(named, key=int))
    # "port": what transformers' config has and PaddleNLP's has no field for. "default_dtype": what PaddleNLP's
    # from_pretrained loads in by default; earlier traces lack it.
    more, dtype = trace.head.get("port") or {}, trace.head.get("default_dtype")
    return _expect(family, trace.model_class, behavior, given, family.sizes_of(config), more, dtype, labels)


def class_named(name: str) -> tuple[Family, ModelClass]:
    """The family and class of this name. Raises KeyError."""
    found = find_class(name)
    if found is None:
        raise KeyError(name)
    return found


def _written_fields(family: Family) -> list[ConfigField]:
    return [field for field in family.fields if field.name in family.written]


def _expect(
    family: Family,
    model_class: ModelClass,
    behavior: str,
    given: Mapping[str, Any],
    sizes: Mapping[str, int],
    more: Mapping[str, Any],
    dtype: str | None,
    labels: tuple[str, ...],
) -> Expected:
    preset = family.preset_named(behavior)
    fields: dict[str, Any] = {field.name: _value(field, given.get(field.name)) for field in _written_fields(family)}
    fields.update(sizes, **more)
    fields.update(family.values_in(MODEL_CONFIG, preset, fields["pad_token_id"]))
    fields.update(
        architectures=[model_class.target],
        model_type=family.target_model_type,
        auto_map=family.auto_map(model_class.target),
        dtype=dtype,
    )
    return Expected(family, preset, fields, labels, family.longest_text(sizes["max_position_embeddings"], preset))


def _value(field: ConfigField, given: Any) -> Any:
    """Fields that only other programs write have their own default."""
    if given is not None or not field.writers:
        return given
    return field.value if field.value is not None else field.absent
