"""config.json as a whole: what stands in it besides the fields that `convert` writes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from converter.common.errors import MOST_LISTED, Problem
from mappings.quirks import MODEL_CONFIG
from verify.folder.config_fields import ALIASES, CHANGING, PRIVATE_AND_HARMLESS
from verify.folder.expected_config import Expected
from verify.results.json_objects import read_object
from verify.weights.output_weights import WrittenWeights

#: What labels are given by, also where a class has none.
_LABELS = ("id2label", "label2id", "num_labels")
#: Written for weights that have no pooling layer; absent it is true.
_POOLER = "add_pooling_layer"
#: Checked with the weights, not with SOURCE's config.
_DTYPE = "dtype"
#: A module that has this name holds the pooling layer.
_POOLER_PART = re.compile(r"(?:^|\.)pooler\.")
#: How code reads a field of its configuration.
_READ = re.compile(r"config\.(\w+)|getattr\((?:self\.)?config, *[\"'](\w+)[\"']")


def check_whole_config(output: Path, known: Expected, written: WrittenWeights) -> tuple[list[Problem], list[str]]:
    """What is more in config.json than `convert` writes: a problem for each field that changes what a user gets, one
    warning that names those that decide nothing. A config that cannot be read is the finding of another check."""
    try:
        config = read_object(output / MODEL_CONFIG)
    except (OSError, ValueError):
        return [], []
    aliases = _check_aliases(config, known)
    problems = [*aliases.values(), *_check_pooler(config, written)]
    read_by_code = fields_read(output)
    idle = []
    for name, value in config.items():
        if name in known.fields or name in ALIASES or name in (*_LABELS, _POOLER, _DTYPE):
            continue
        reason = _why_it_matters(name, value, read_by_code)
        if reason:
            problems.append(
                Problem("E410", f"{MODEL_CONFIG}: {name:.60} is {value!r:.80}, which convert does not write: {reason}")
            )
        else:
            idle.append(name)
    idle += [alias for alias, name in ALIASES.items() if alias in config and name in config and alias not in aliases]
    if not known.labels:
        idle += [name for name in _LABELS if name in config]
    return problems, [_describe_idle(idle)] if idle else []


def _describe_idle(names: list[str]) -> str:
    shown = ", ".join(f"{name:.60}" for name in names[:MOST_LISTED])
    more = f" and {len(names) - MOST_LISTED} more" if len(names) > MOST_LISTED else ""
    return f"{MODEL_CONFIG}: convert does not write {shown}{more}; nothing here depends on it"


def _why_it_matters(name: str, value: Any, read_by_code: frozenset[str]) -> str:
    generic = CHANGING.get(name)
    if generic is not None:
        return "" if any(_is_same(value, harmless) for harmless in generic.harmless) else f"it {generic.effect}"
    if name.startswith("_") and name not in PRIVATE_AND_HARMLESS:
        return "it replaces a part of transformers' own state"
    return "the code in OUTPUT reads it" if name in read_by_code else ""


def fields_read(output: Path) -> frozenset[str]:
    """The fields of the configuration that the Python files of OUTPUT read by name."""
    found: set[str] = set()
    for path in output.glob("*.py"):
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:  # a link that leads nowhere, which another check names
            continue
        found.update(one or other for one, other in _READ.findall(text))
    return frozenset(found)


def _check_aliases(config: Mapping[str, Any], known: Expected) -> dict[str, Problem]:
    """Alias -> what is wrong with it. A second name of a field must have what is expected of the field: which of both
    is read depends on the reader, and where the field is missing or null the alias is read everywhere."""
    problems = {}
    for alias, name in ALIASES.items():
        if alias not in config or name == "num_labels":  # That one is checked with the labels.
            continue
        expected = config.get(name) if name not in known.fields else known.fields[name]
        if not _is_same(config[alias], expected) and (name in config or name in known.fields):
            text = f"{MODEL_CONFIG}: {alias} is {config[alias]!r:.80}, which is another name of {name}"
            problems[alias] = Problem("E410", f"{text}; expected {expected!r:.80}, or no such field")
    return problems


def _check_pooler(config: Mapping[str, Any], written: WrittenWeights) -> Iterator[Problem]:
    """Whether the model is built with a pooling layer must be what the weights are."""
    if _POOLER not in config or not written.tensors:
        return
    has_pooler = any(_POOLER_PART.search(name) for name in written.tensors)
    value = config[_POOLER]
    if value is not True and has_pooler:
        yield Problem("E410", f"{MODEL_CONFIG}: {_POOLER} is {value!r:.40}, and the weights have one; expected True")
    elif type(value) is not bool:
        yield Problem("E410", f"{MODEL_CONFIG}: {_POOLER} is {value!r:.40}, expected true or false")


def _is_same(found: Any, expected: Any) -> bool:
    """Equal, and of the same kind: True is not 1 here."""
    return found == expected and isinstance(found, bool) == isinstance(expected, bool)
