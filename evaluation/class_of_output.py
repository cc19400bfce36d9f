"""The class of OUTPUT, and whether it has the head that a task needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from converter.common.errors import DataError, Problem
from converter.files.json_files import read_json
from evaluation.options import HEADS
from mappings.family import Family
from mappings.model_class import ModelClass
from mappings.registry import find_class

if TYPE_CHECKING:
    from converter.plan.plan import Plan

_NAMES = {"sequence": "a classifier of texts", "token": "a classifier of tokens", "span": "a head for answers"}


def class_of(output: Path, plan: Plan | None) -> tuple[Family, ModelClass]:
    """The family and the class: SOURCE's where it was planned, else by the class that OUTPUT's config.json names.
    Raises DataError for one that no family has."""
    if plan is not None:
        found = find_class(plan.table.source_class)
        if found is not None:
            return found
    config, _ = read_json(output / "config.json")
    names = config.get("architectures")
    found = find_class(names[0]) if isinstance(names, list) and names else None
    if found is None:
        text = f"config.json of {output} names the class {names!r:.80}, which is none that is converted"
        raise DataError(Problem("E905", text))
    return found


def check_head(entry: ModelClass, task: str) -> None:
    """Raise DataError unless the class has the head of the task; any with an encoder will do for retrieval."""
    needed = HEADS[task]
    if needed and entry.head != needed:
        advice = " Fine-tune it first: the weights have none." if entry.head == "none" else ""
        text = f"--task {task} needs {_NAMES[needed]} (a class with a head of the kind {needed!r}), and"
        raise DataError(Problem("E905", f"{text} {entry.target} has none.{advice}"))
