"""Whether everything in a report agrees with its verdict, with itself and with OUTPUT. A report that does not is an
accident or was edited; one that does may still be forged, for it is no signature."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from converter.common.errors import FileError
from converter.common.layout import MANIFEST
from converter.files.json_files import read_json
from mappings.registry import find_class

if TYPE_CHECKING:
    from verify.results.report import Report

_CONFIG = "config.json"
_LISTED = 3


def find_contradictions(report: Report, output: Path) -> list[str]:
    """Why a report that is marked as passed is not to be believed. Raises KeyError, TypeError, ValueError or
    AttributeError for one that is damaged."""
    manifest, config = _read(output / MANIFEST), _read(output / _CONFIG)
    found = [
        *_in_itself(report),
        *_of_the_manifest(report, manifest),
        *_of_the_tensors(report, manifest, _aside(config)),
        *_of_the_sites(report, manifest, config),
    ]
    return [f"it is marked as passed, and {reason}" for reason in found]


def _read(path: Path) -> Mapping[str, Any]:
    """Empty where it is lost or damaged, which is a finding of its own."""
    try:
        return read_json(path)[0] if path.is_file() else {}
    except FileError:
        return {}


def _in_itself(report: Report) -> Iterator[str]:
    from verify.results.report import TOKENS

    if report.first_difference is not None:
        yield "names a first difference"
    if report.precision not in ("float64", "float32"):
        yield f"its precision is {report.precision!r:.40}"
    if report.reference.get("kind") not in ("live", "trace"):
        yield "does not name what computed the reference"
    if not any(mode.compared for mode in report.uses.values()):
        yield "compared no other use of the model"
    for name, mode in report.uses.items():
        if mode.differ != 0 or mode.first:
            yield f"another use of the model differs ({name:.60}: {mode.first:.200})"
        elif mode.compared < 0:
            yield f"what was compared of another use is {mode.compared} ({name:.60})"
    tokens = report.tokenizer
    if tokens is not None and TOKENS in report.checked:
        if tokens.problem or tokens.examples:
            yield f"its tokenizer has a problem ({tokens.problem or 'texts that differ':.200})"
        if any(differ != 0 for _, differ in tokens.ways.values()):
            yield "a way through its tokenizer differs"
    if report.self_test is not None and report.self_test.missed:
        yield "its self-test missed faults"


def _of_the_manifest(report: Report, manifest: Mapping[str, Any]) -> Iterator[str]:
    """What OUTPUT was made from, and which rules it follows."""
    if not manifest:
        return
    read = {file["sha256"] for file in report.reference["files"]}
    made_from = {file["sha256"] for file in manifest["source"]["files"] if not file["name"].endswith(".json")}
    if read != made_from:
        yield f"its reference read other files than those that {MANIFEST} names as the source"
    behavior, own = manifest.get("behavior", "paddlenlp"), report.source_behavior
    if report.behavior != behavior:
        yield f"its behavior is {report.behavior!r:.40}, where {MANIFEST} has {behavior!r:.40}"
    elif own not in (None, behavior) and manifest.get("behavior_chosen") is not True:
        yield f"its behavior is not the source's ({own!r:.40}), which convert was not asked for"


def _aside(config: Mapping[str, Any]) -> frozenset[str]:
    """Tensors that the file keeps for AutoModel, whose class is another."""
    name = (config.get("architectures") or [""])[0]
    found = find_class(name)
    return found[0].kept_aside(name) if found is not None else frozenset()


def _of_the_tensors(report: Report, manifest: Mapping[str, Any], aside: frozenset[str]) -> Iterator[str]:
    """Every tensor was compared, has gradients, and is covered; of those in `aside` the class has none."""
    rows = {row.tensor: row for row in report.coverage}
    gradients = {entry.tensor for entry in report.gradients}
    names = {entry["target"] for entry in manifest["tensors"]} - aside if manifest else set(rows)
    if not names or gradients != names:
        yield f"has no gradients of {_some(names - gradients) or 'tensors of this model'}"
    if rows.keys() != names:
        yield f"its coverage is not that of this model's tensors ({_some(rows.keys() ^ names)})"
    elif not all(0 <= row.seen <= row.elements for row in rows.values()):
        yield "its coverage counts more elements than there are"
    if manifest and report.static is not None:
        shapes = {entry["target"]: math.prod(entry["shape"]) for entry in manifest["tensors"]}
        odd = {name for name, row in rows.items() if row.elements != shapes.get(name, row.elements)}
        if odd:
            yield f"its coverage has other sizes than the tensors ({_some(odd)})"
        if report.static.tensors < len(names):
            yield f"it compared {report.static.tensors} tensors of {len(names)}"


def _of_the_sites(report: Report, manifest: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[str]:
    """At least one of every kind that this model has, and the states behind every layer."""
    from verify.report.groups import expected_groups, group_sites

    kinds = {name for name, _ in group_sites(report)}
    classes = config.get("architectures") or [""]
    aside = _aside(config)
    named = [entry["target"] for entry in manifest.get("tensors", ()) if entry["target"] not in aside]
    pooled = any("pooler." in name for name in named)
    lacking = [kind for kind in expected_groups(report, classes[0], pooled) if kind not in kinds]
    if lacking:
        yield f"has no site of {', '.join(lacking)}"
    layers = config.get("num_hidden_layers")
    names = {site.site for site in report.sites}
    if type(layers) is int and 0 < layers <= 10_000 and not lacking:
        silent = [f"hidden_states.{number}" for number in range(layers + 1) if f"hidden_states.{number}" not in names]
        if silent:
            yield f"has no site {', '.join(silent[:_LISTED])}"


def _some(names: Any) -> str:
    ordered = sorted(map(str, names))
    more = f" and {len(ordered) - _LISTED} more" if len(ordered) > _LISTED else ""
    return ", ".join(f"{name:.80}" for name in ordered[:_LISTED]) + more
