"""Look for each injected fault by the checks of bytes and fields: the same functions, on damaged tensors."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from converter.files.tensors import DTYPES
from mappings.quirks import MODEL_CONFIG
from verify.folder.check_folder import Standard, check_fields, check_tokenizer
from verify.folder.check_manifest import check_files, check_tensors
from verify.results.manifest import by_target, extras_by_target
from verify.results.trace import Trace
from verify.self_test.faults import EXCHANGED, LAST_PLACE, ROWS, TRANSPOSED, Fault
from verify.weights.check_weights import check_weights
from verify.weights.output_weights import WrittenTensor, WrittenWeights
from verify.weights.traced_weights import check_against_trace
from verify.weights.ulp import neighbour

if TYPE_CHECKING:
    import numpy as np

SOURCE, TRACE, MANIFEST, FIELDS = "source", "trace", "manifest", "fields"


@dataclass(frozen=True)
class Damaged(WrittenTensor):
    """A tensor of OUTPUT with a fault. Only the pages of memory that are changed are ever copied."""

    fault: Fault | None = None

    def read(self) -> np.ndarray:
        import numpy as np

        array = np.memmap(self.path, np.dtype(DTYPES[self.dtype][0]), "c", self.start, self.shape or (1,))
        return damage(array.reshape(self.shape), self.dtype, self.fault)

    def read_bytes(self) -> np.ndarray:
        import numpy as np

        return np.ascontiguousarray(self.read()).reshape(-1).view(np.uint8)


def damage(array: np.ndarray, dtype: str, fault: Fault | None) -> np.ndarray:
    """The array with the fault in it; it is changed in place but for a transposition."""
    if fault is not None and fault.kind == LAST_PLACE:
        bits = array.view(f"<u{DTYPES[dtype][1]}")
        bits[fault.place] = neighbour(bits[fault.place].reshape(1), dtype)[0]
    elif fault is not None and fault.kind == ROWS:
        one, other = fault.place
        array[[one, other]] = array[[other, one]]
    elif fault is not None and fault.kind == TRANSPOSED:
        return array.T
    return array


@dataclass
class StaticSide:
    """What the damaged OUTPUT is compared with, and its sound weights."""

    standard: Standard
    written: WrittenWeights

    def find(self, fault: Fault) -> list[str]:
        """The checks that find it."""
        if fault.folder:
            return self._find_in_files(fault)
        found = []
        damaged = self._damaged(fault)
        extras = {name: tensor for name, tensor in damaged.items() if name in self.written.extras}
        written = WrittenWeights({name: damaged[name] for name in damaged if name not in extras}, extras)
        whole = self.standard.plan
        if whole is not None:
            tensors = tuple(row for row in whole.tensors if row.target in damaged)
            aside = tuple(row for row in whole.extras if row.target in damaged)
            plan = dataclasses.replace(whole, tensors=tensors, extras=aside)
            if check_weights(plan, written, lambda done, total: None)[1]:
                found.append(SOURCE)
        manifest = self.standard.manifest
        if manifest is not None:
            rows = [row for name, row in by_target(manifest).items() if name in damaged]
            aside_rows = [row for name, row in extras_by_target(manifest).items() if name in damaged]
            manifest = {**manifest, "tensors": rows, "extras": aside_rows, "dropped": []}
            trace = self.standard.trace
            if whole is None and trace is not None and _differs_from_trace(trace, manifest, written):
                found.append(TRACE)
            if check_tensors(manifest, written):
                found.append(MANIFEST)
        return found

    def _damaged(self, fault: Fault) -> dict[str, WrittenTensor]:
        tensors = {**self.written.tensors, **self.written.extras}
        if fault.kind == EXCHANGED:
            one, other = tensors[fault.subject], tensors[fault.other]
            return {
                one.name: dataclasses.replace(other, name=one.name),
                other.name: dataclasses.replace(one, name=other.name),
            }
        whole = tensors[fault.subject]
        facts = {field.name: getattr(whole, field.name) for field in dataclasses.fields(whole)}
        return {whole.name: Damaged(**facts, fault=fault)}

    def _find_in_files(self, fault: Fault) -> list[str]:
        found, manifest, folder = [], self.standard.manifest, Path(fault.folder)
        problems = check_fields(folder, self.standard, self.written)[0]
        if not fault.subject.startswith(MODEL_CONFIG):
            problems += check_tokenizer(folder, self.standard)[0]
        if problems:
            found.append(FIELDS)
        if manifest is not None and check_files(manifest, folder)[0]:
            found.append(MANIFEST)
        return found


def _differs_from_trace(trace: Trace, manifest: Mapping[str, Any], written: WrittenWeights) -> bool:
    sources = {row["source"] for row in manifest["tensors"]}
    recorded = {name: entry for name, entry in trace.head["tensors"].items() if name in sources}
    part = dataclasses.replace(trace, head={**trace.head, "tensors": recorded})
    return bool(check_against_trace(part, manifest, written)[1])
