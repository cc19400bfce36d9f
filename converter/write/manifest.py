"""paddle2torch.json: what was made from what, with the sums that let anyone check it. No time stamps, no paths."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from converter.common.layout import EXTRAS_FILE, FILES_BY_KIND, KEPT_FIELDS
from converter.common.version import VERIFIED_TRANSFORMERS, __version__
from converter.files.hashing import sha256_of
from converter.open.source import Source
from converter.plan.inner_tensors import LEFT_INSIDE
from converter.plan.plan import Dropped, Plan
from converter.write.shards import WrittenTensor
from mappings import Family


def summed_files(family: Family, target: str) -> tuple[str, ...]:
    """What decides a class's numbers or tokens: the manifest has the checksum of each whole file. Not config.json
    and the weights: their meaning survives another order or indentation, and `verify` reads that."""
    code = family.code_of(target)
    return (*(code.files if code is not None else ()), *FILES_BY_KIND[family.tokenizer.kind])


def rests_on_transformers(family: Family, target: str) -> bool:
    """Whether a class computes with transformers' own network, so that its numbers depend on what is installed: it is
    one of transformers' classes, or its code has no config of its own."""
    code = family.code_of(target)
    return code is None or not code.config


def build_manifest(
    folder: Path,
    plan: Plan,
    written: Sequence[WrittenTensor],
    source_files: Sequence[tuple[str, int, str]],
    source: Source,
) -> dict[str, Any]:
    """`source_files`: name, size in bytes and sha256 of each."""
    extras = [entry for entry in written if entry.file == EXTRAS_FILE]
    inside = plan.left_inside
    summed = summed_files(source.family, plan.table.target_class)
    manifest: dict[str, Any] = {
        "tool": "paddle2torch",
        "version": __version__,
        "format": 1,
        "source": {
            **({"origin": source.origin} if source.origin is not None else {}),
            "format": source.tensors.format,
            "naming": source.tensors.naming,
            **({"prefix": source.tensors.prefix} if source.tensors.prefix else {}),
            "class": plan.table.source_class,
            "files": [{"name": name, "size": size, "sha256": digest} for name, size, digest in source_files],
        },
        "mapping": {"table": plan.table.source_class, "version": plan.table.version, "scheme": plan.scheme.name},
        "target_class": plan.table.target_class,
        **(
            {"verified_with": {"transformers": list(VERIFIED_TRANSFORMERS)}}
            if rests_on_transformers(source.family, plan.table.target_class)
            else {}
        ),
        "behavior": source.behavior,
        "asked_dtype": plan.asked_dtype,
        **_kept_fields(plan),
        # By it `verify` knows a choice from a change.
        **({"behavior_chosen": True} if source.behavior_chosen else {}),
        "files": {name: sha256_of(folder / name) for name in summed if (folder / name).is_file()},
        "dropped": [_describe_drop(drop) for drop in plan.dropped],
        **({LEFT_INSIDE: [{"source": each.name, "kind": each.kind} for each in inside]} if inside else {}),
        "tensors": [describe_tensor(entry) for entry in written if entry.file != EXTRAS_FILE],
    }
    return {**manifest, "extras": [describe_tensor(entry) for entry in extras]} if extras else manifest


def _kept_fields(plan: Plan) -> dict[str, Any]:
    """What PaddleNLP's class needs and the target's has no place for, for the way back."""
    names = [field.name for field in plan.family.fields if field.name not in plan.family.written]
    kept = {name: plan.config.get(name) for name in names if plan.config.get(name) is not None}
    return {KEPT_FIELDS: kept} if kept else {}


def _describe_drop(drop: Dropped) -> dict[str, Any]:
    stored = {"stored_as": drop.stored_as} if drop.stored_as not in ("", drop.name) else {}
    return {"source": drop.name, **stored, "reason": drop.reason}


def describe_tensor(entry: WrittenTensor) -> dict[str, Any]:
    """A tensor's row: its name here and in the file that it comes from, what was done with it, and its sum."""
    planned = entry.planned
    stored = {"stored_as": planned.source.stored_as} if planned.source.stored_as else {}
    return {
        "source": planned.source.name,
        **stored,
        "target": planned.target,
        "op": planned.op,
        "source_dtype": planned.source.dtype,
        "dtype": planned.dtype,
        "shape": list(planned.shape),
        "sha256": entry.sha256,
    }
