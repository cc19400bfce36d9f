"""Published figures beside a result: only where task, languages and number of examples are those of the test set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evaluation.results import Evaluation
from mappings.family import Family
from mappings.figures import FigureRow

_SIZES = ("hidden_size", "num_hidden_layers")
CAUTION = "Those models were fine-tuned by others and are not this one: their figures are no target for it"


def describe_published(result: Evaluation, family: Family, config: Mapping[str, Any]) -> list[str]:
    """A line for each published row of a model of OUTPUT's size, and what they are not. `config`: OUTPUT's."""
    counts = {one.language: one.examples for one in result.of_view((result.views or [""])[0])}
    fitting = {
        model.name
        for model in family.pretrained
        if model.config is not None and all(model.config.get(name) == config.get(name) for name in _SIZES)
    }
    lines = [
        _describe(one.name, one.languages, row)
        for one in family.figures
        if one.task == result.task and one.is_whole(counts)
        for row in one.rows
        if row.model in fitting
    ]
    return [*lines, CAUTION] if lines else []


def _describe(name: str, languages: tuple[str, ...], row: FigureRow) -> str:
    each = "".join(f", {language} {value:g}" for language, value in zip(languages, row.values))
    metric = row.metric.replace("_", " ")
    return f"{name}, {row.model} fine-tuned on {row.trained}: {metric} in %: mean {row.mean:g}{each}"
