"""Check OUTPUT's weights against a trace, without SOURCE: it has the checksum of every tensor that Paddle read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from converter.common.errors import Problem, about
from mappings import OPERATIONS
from verify.results.checks import StaticResult
from verify.results.findings import Finding, fold_findings
from verify.results.manifest import by_target
from verify.results.trace import Trace
from verify.weights.output_weights import WrittenTensor, WrittenWeights


def check_against_trace(
    trace: Trace, manifest: Mapping[str, Any] | None, written: WrittenWeights
) -> tuple[StaticResult, list[Problem]]:
    """The inverse of each operation must have the checksum of the source tensor. Tensors whose dtype was converted
    are left to the manifest's checksums and to the numbers; without a manifest nothing specifies what became what."""
    if manifest is None:
        return StaticResult(0, (), "trace"), []
    recorded = trace.head["tensors"]
    findings: list[Finding] = []
    for target, entry in by_target(manifest).items():
        found, source = written.tensors.get(target), recorded.get(_in_file(entry))
        reason = _compare(entry, found, source)
        if reason:
            findings.append(Finding("are not the source's", target, Problem("E401", about(target, reason))))
    accounted = (*manifest["tensors"], *manifest.get("dropped", []), *manifest.get("extras", []))
    used = {_in_file(entry) for entry in accounted}
    unused = sorted(set(recorded) - used)
    findings += [Finding("of the source became nothing", name, _unused(name)) for name in unused]
    names = tuple(finding.name for finding in findings)
    return StaticResult(len(manifest["tensors"]), names, "trace"), fold_findings(findings)


def _unused(name: str) -> Problem:
    return Problem("E404", f"{name} is in the source, and became nothing")


def _in_file(entry: Mapping[str, Any]) -> Any:
    """The name that a tensor has in the source's file, which is what Paddle read it under."""
    return entry.get("stored_as") or entry.get("source")


def _compare(entry: Mapping[str, Any], found: WrittenTensor | None, source: Mapping[str, Any] | None) -> str:
    if found is None:
        return "not there"
    if source is None:
        return f"is recorded as made from {_in_file(entry)}, which Paddle did not read"
    operation = OPERATIONS.get(str(entry.get("op")))
    if operation is None:
        return f"is recorded as made by {entry.get('op')!r}, which is no operation"
    if found.dtype != source["dtype"]:
        return "" if found.dtype == entry.get("dtype") else f"is {found.dtype}, the manifest has {entry.get('dtype')}"
    if len(found.shape) not in operation.ranks:
        return f"is {list(found.shape)}, which {operation.name} does not make"
    back = operation.invert(found.read())
    if list(back.shape) != source["shape"]:
        return f"is {list(found.shape)}, the source was {source['shape']}"
    if _checksum(back) != source["sha256"]:
        return f"its bytes are not those of the source's {_in_file(entry)}"
    return ""


def _checksum(array: Any) -> str:
    """sha256 of the bytes in C order; rows are gathered block by block."""
    import numpy as np

    digest = hashlib.sha256()
    rows = array.reshape(1) if array.ndim == 0 else array
    step = max(1, (16 << 20) // max(1, rows[:1].nbytes))
    for start in range(0, len(rows), step):
        digest.update(np.ascontiguousarray(rows[start : start + step]).data)
    return digest.hexdigest()
