"""Inspect a folder that `convert` made: by its own files, its manifest and its report."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from converter.common.errors import Problem
from converter.files.json_files import read_json
from converter.inspection.results import Inspection, MadeFrom
from converter.locate.located import Located
from converter.publish.evidence import read_evidence
from converter.publish.folder import TRACE
from mappings import find_class
from verify.folder.check_manifest import deciding_files
from verify.folder.expected_tokenizer import has_tokenizer
from verify.results.manifest import behavior_of, read_manifest
from verify.weights.output_weights import read_written

#: Fields of config.json that are told as sizes.
_SIZES = (
    "vocab_size",
    "max_position_embeddings",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
)


def inspect_output(located: Located) -> Inspection:
    """Facts about a converted folder. Raises FileError for a config.json that cannot be read; what is wrong with the
    manifest and the weight files is in the result."""
    folder = located.path
    config = read_json(folder / "config.json")[0]
    manifest, problems = read_manifest(folder)
    written = read_written(folder)
    problems = [*problems, *written.problems]
    classes = config.get("architectures") or [None]
    found = find_class(classes[0])
    family = found[0] if found is not None else None
    tensors = written.tensors.values()
    behavior = behavior_of(manifest)
    presets = family.presets if family is not None else ()
    return Inspection(
        source=folder,
        origin=located.origin,
        format="Hugging Face folder, safetensors",
        writer=f"paddle2torch {manifest.get('version')}" if manifest else "",
        files=tuple(dict.fromkeys(tensor.path.name for tensor in tensors)),
        source_class=str(manifest["source"].get("class")) if manifest else None,
        target_class=str(classes[0]) if classes[0] else None,
        sizes={name: config[name] for name in _SIZES if isinstance(config.get(name), int)},
        labels=_labels_of(config),
        dtypes=dict(Counter(tensor.dtype for tensor in tensors)),
        tensors=len(tensors),
        parameters=sum(math.prod(tensor.shape) for tensor in tensors),
        bytes=sum(tensor.end - tensor.start for tensor in tensors),
        tokenizer=family is not None and has_tokenizer(folder, family),
        behavior=behavior,
        behavior_means=next((preset.summary for preset in presets if preset.name == behavior), ""),
        extras=tuple(written.extras),
        dropped=_dropped(manifest),
        warnings=(*located.warnings, *written.warnings),
        problems=tuple(map(str, problems)),
        made_from=_describe_origin(folder, manifest, has_tokenizer(folder, family)) if manifest and family else None,
    )


def _labels_of(config: Mapping[str, Any]) -> tuple[str, ...]:
    labels = config.get("id2label")
    return tuple(map(str, labels.values())) if isinstance(labels, dict) else ()


def _dropped(manifest: Mapping[str, Any] | None) -> tuple[tuple[str, str], ...]:
    entries = manifest.get("dropped") if manifest else None
    listed = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return tuple((str(entry.get("source")), str(entry.get("reason"))) for entry in listed)


def _describe_origin(folder: Path, manifest: Mapping[str, Any], tokenizer: bool) -> MadeFrom:
    source, mapping = manifest["source"], manifest.get("mapping") or {}
    verified, verification = judge_report(folder, tokenizer)
    origin = source.get("origin")
    return MadeFrom(
        version=str(manifest.get("version")),
        origin=str(origin) if origin is not None else None,
        format=str(source.get("format")),
        files=tuple((str(file["name"]), str(file["sha256"])) for file in source["files"]),
        mapping=f"{mapping.get('table')} version {mapping.get('version')}",
        verified=verified,
        verification=verification,
        trace=(folder / TRACE).is_file(),
    )


def judge_report(folder: Path, tokenizer: bool) -> tuple[bool, str]:
    """Whether the folder's report is a passing full one of exactly these bytes, and which; else why not."""
    report, problems = read_evidence(folder, tokenizer)
    if report is not None and not problems:
        now = deciding_files(folder)
        changed = sorted(name for name in {*now, *report.files} if now.get(name) != report.files.get(name))
        problems = [Problem("E803", f"{', '.join(changed)}: not as verified")] if changed else []
    if report is None or problems:
        return False, problems[0].text
    version = f", by paddle2torch {report.subject.version}" if report.subject is not None else ""
    return True, f"{', '.join(report.checked)} in {report.precision}{version}"
