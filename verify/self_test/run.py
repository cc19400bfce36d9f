"""The negative control from end to end: inject each fault, run every check, and count what was found."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from converter.common.errors import Problem, ReferenceFailure
from converter.common.progress import OnProgress, Progress
from converter.files.tensors import element_count
from verify.folder.check_folder import Standard
from verify.numbers.pytorch_process import Start, start_process
from verify.options import Options
from verify.results.as_json import from_json, to_json
from verify.results.manifest import behavior_of
from verify.results.self_test import Found, Outcome, SelfTest
from verify.results.trace import Trace
from verify.self_test.faults import LAST_PLACE, Fault, tensor_faults
from verify.self_test.folders import folder_faults, inject
from verify.self_test.weights import StaticSide
from verify.weights.output_weights import read_written
from verify.weights.ulp import change_at

#: Of the elements, rows and lines that are drawn.
SEED = 1905
#: Elements of each tensor by one unit in the last place; one above LARGE parameters.
ELEMENTS, LARGE = 2, 20_000_000
_SINGLE = "float32 numbers cannot show one unit in the last place of a float32"
_ZEROS = "Paddle's lookup gives zeros for this row, which is left out of the numbers"
_FOR_AUTO_MODEL = "the class has no place for it: AutoModel's class has, and is compared by itself"
_ASIDE = "kept for the record: the model has no place for it"


def run_self_test(
    output: Path,
    standard: Standard,
    trace: Trace,
    folder: Path,
    on_progress: OnProgress,
    options: Options,
) -> SelfTest:
    """Inject faults into copies of OUTPUT, which passed, and look for each. `folder` is ours alone; without
    `options.static` numbers and tokens alone look. Raises ReferenceFailure when the process that runs OUTPUT fails."""
    on_progress(Progress("self-test", "choosing faults"))
    side = StaticSide(standard, read_written(output))
    faults = choose_faults(output, side, trace, folder)
    found: list[tuple[str, ...]] = []
    for number, fault in enumerate(faults):
        detail = f"fault {number + 1} of {len(faults)}"
        on_progress(Progress("self-test of bytes and fields", detail, number + 1, len(faults)))
        found.append(tuple(side.find(fault)) if options.static else ())
    shown = ask_process(output, trace, faults, behavior_of(standard.manifest), folder, on_progress, options.start)
    outcomes = [
        Outcome.of(fault.describe(), fault.kind, checks, answer, fault.unseen)
        for fault, checks, answer in zip(faults, found, shown)
    ]
    return SelfTest.of(outcomes, SEED, options.static)


def choose_faults(output: Path, side: StaticSide, trace: Trace, folder: Path) -> list[Fault]:
    """Every fault of the weights and of the small files; a linked copy of OUTPUT is made for each of the latter."""
    tensors = side.written.tensors
    large = sum(element_count(tensor.shape) for tensor in tensors.values()) > LARGE
    faults = list(tensor_faults(tensors, SEED, 1 if large else ELEMENTS))
    if trace.precision == "float32":
        faults = [replace(fault, unseen=_SINGLE) if fault.kind == LAST_PLACE else fault for fault in faults]
    faults = [
        replace(fault, unseen=fault.unseen or _unseen(fault, trace)) for fault in [*faults, *_padding(side, trace)]
    ]
    faults += [replace(fault, unseen=_ASIDE) for fault in tensor_faults(side.written.extras, SEED, 1)]
    same_quirks = behavior_of(side.standard.manifest) == trace.behavior
    small = folder_faults(output, trace.family, SEED, same_quirks, trace.has_tokens, trace.has_ways)
    for number, fault in enumerate(small):
        copy = folder / "faults" / f"fault_{number:03}"
        inject(output, fault, copy)
        faults.append(replace(fault, folder=str(copy.absolute())))
    return faults


def _padding(side: StaticSide, trace: Trace) -> Iterator[Fault]:
    """One unit in the last place of the row that Paddle's lookup gives as zeros, where it does."""
    found = _row_left_out(trace)
    if found is None or found[0] not in side.written.tensors:
        return
    tensor = side.written.tensors[found[0]]
    flat, width = tensor.read().reshape(-1), tensor.shape[1]
    change = change_at(tensor, flat, found[1] * width + width // 2)
    yield Fault(LAST_PLACE, tensor.name, change.place, change.moved)


def _row_left_out(trace: Trace) -> tuple[str, int] | None:
    """The tensor and its row of which the numbers are left out."""
    if trace.left_out_row is None:
        return None
    name, row = trace.left_out_row
    network, table = trace.family.network, trace.family.tables[trace.model_class.source]
    module = next(each.module for each in network.tables if each.name == name)
    return f"{table.backbone_prefix}{module}.weight", row


def _unseen(fault: Fault, trace: Trace) -> str:
    """Why the numbers of a class cannot show a fault of a tensor; "" where they must."""
    family, target = trace.family, trace.model_class.target
    if {fault.subject, fault.other} & family.kept_aside(target):
        return _FOR_AUTO_MODEL
    is_left_out = fault.kind == LAST_PLACE and _row_left_out(trace) == (fault.subject, fault.place[0])
    return _ZEROS if is_left_out and not family.decodes_with_words(target) else ""


def ask_process(
    output: Path,
    trace: Trace,
    faults: list[Fault],
    behavior: str,
    folder: Path,
    on_progress: OnProgress,
    start: Start | None,
) -> list[Found]:
    """What numbers and tokens show, from the process that runs OUTPUT."""
    request, result = folder / "self_test.json", folder / "self_test_result.json"
    asked = {
        "trace": str(trace.path.absolute()),
        "output": str(output.absolute()),
        "result": str(result),
        "behavior": behavior,
        "faults": to_json(faults),
    }
    request.write_text(json.dumps(asked), encoding="utf-8")
    ended = (start or start_process)(request, folder, on_progress)
    if not result.is_file():
        reason = "was killed. Was there too little memory?" if ended.status == -signal.SIGKILL else ended.reason()
        raise ReferenceFailure(Problem("E607", f"the process that runs the self-test failed: {reason}"))
    return [from_json(Found, entry) for entry in json.loads(result.read_text(encoding="utf-8"))]
