"""The process that runs OUTPUT's model: the numeric comparison, the execution modes and the tokens, or the self-test's
faults. It stands above all of them; verify/numbers/pytorch_process.py starts it."""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path
from typing import Any, Callable

from converter.common.progress import OnProgress, Progress
from mappings.quirks import Preset
from verify.folder.check_manifest import asked_dtype
from verify.modes.base_load import try_base_load
from verify.modes.default_load import try_default_load
from verify.modes.execution_modes import run_execution_modes, run_more_modes, use_single
from verify.numbers.compare import Reference
from verify.numbers.detection_margin import measure_smallest_fault
from verify.numbers.loading import LoadedModel, LoadFailure, check_as_loaded, load_model
from verify.numbers.quirks import check_epsilons, describe_change, preset_of_reference, set_quirks, tokenizer_options
from verify.numbers.replay import replay_cases, use_attention
from verify.numbers.shared import use_one_thread
from verify.protocol.beside import compute_beside
from verify.protocol.messages import report_progress
from verify.results.as_json import to_json
from verify.results.manifest import behavior_of, read_manifest
from verify.results.numbers import BASE_LOAD, DEFAULT_LOAD, ModeResult, PytorchResult
from verify.results.trace import Trace, read_trace
from verify.self_test.numbers import find_in_numbers
from verify.tokens.compare_tokens import start_comparing_tokens
from verify.weights.output_weights import WrittenWeights, read_written

#: Mode -> its result, and warnings.
Loads = tuple[dict[str, ModeResult], list[str]]


def main(request_path: str, is_told: str = "") -> None:
    """Answer a request: its `result` gets the answer as JSON, whole or not at all. stdout belongs to the protocol, so
    what OUTPUT's code prints goes to stderr. `is_told`: not before a line on standard input allows it."""
    if is_told and not wait_for_request():
        return
    request = json.loads(Path(request_path).read_text(encoding="utf-8"))
    stdout, sys.stdout = sys.stdout, sys.stderr

    def on_progress(event: Progress) -> None:
        report_progress(event.stage, event.detail, event.done, event.total, stdout)

    trace, output = read_trace(Path(request["trace"])), Path(request["output"])
    found: Any
    if "faults" in request:
        found = find_in_numbers(trace, output, request["behavior"], request["faults"], on_progress)
    else:
        found = compare_output(trace, output, on_progress)
    partial = Path(request["result"] + ".partial")
    partial.write_text(json.dumps(to_json(found)), encoding="utf-8")
    partial.replace(request["result"])


def wait_for_request() -> bool:
    """Import what takes long, and wait. False where the process that started this one has ended."""
    import torch  # noqa: F401
    from transformers import AutoModel, PreTrainedModel  # noqa: F401

    return bool(sys.stdin.readline())


def compare_output(trace: Trace, output: Path, on_progress: OnProgress) -> PytorchResult:
    """Load OUTPUT and compare everything that the trace has."""
    import transformers

    transformers.utils.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    found = PytorchResult(environment=versions())
    on_progress(Progress("loading OUTPUT"))
    manifest, written = read_manifest(output)[0], read_written(output)
    preset = preset_of_reference(trace, behavior_of(manifest))
    if preset is not None:
        found.warnings.append(describe_change(trace, behavior_of(manifest), preset))
    loaded = None
    finish_tokens = None
    if trace.has_tokens:
        finish_tokens = start_comparing_tokens(trace, output, tokenizer_options(trace.family, preset))
    try:
        loaded = load_model(output, trace.precision, trace.family)
    except LoadFailure as error:
        found.problems.append(str(error))
    else:
        found.problems += check_as_loaded(loaded, output)
        found.environment["loader"] = loaded.loader.auto
        _compare_numbers(found, trace, loaded, preset, written, on_progress)
    if finish_tokens is not None:
        on_progress(Progress("tokenizing with OUTPUT"))
        found.tokens = finish_tokens(loaded)
    if loaded is not None:
        _compare_modes(found, trace, loaded, on_progress, lambda: _compare_loads(trace, output, preset))
    return found


def _compare_numbers(
    found: PytorchResult,
    trace: Trace,
    loaded: LoadedModel,
    preset: Preset | None,
    written: WrittenWeights,
    on_progress: OnProgress,
) -> None:
    """Activations and gradients; where all agree, the smallest fault of the weights."""
    set_quirks(loaded, preset)
    with trace.arrays() as arrays:
        runner = replay_cases(Reference.of(trace, arrays), loaded, on_progress)
        result = runner.result
        if result.passed:
            use_attention(loaded.model, "eager")
            found.smallest_fault = measure_smallest_fault(runner, written.tensors, on_progress)
    found.sites, found.gradients, found.coverage = result.sites, result.gradients, result.coverage
    found.warnings += result.warnings
    found.problems += result.problems + check_epsilons(loaded.model, trace)


def _compare_modes(
    found: PytorchResult, trace: Trace, loaded: LoadedModel, on_progress: OnProgress, compare_loads: Callable[[], Loads]
) -> None:
    """The execution modes, and other ways to load OUTPUT, which takes the place of the model in float64: a large one
    does not fit into memory twice."""
    with trace.arrays() as arrays:
        reference = Reference.of(trace, arrays)
        on_progress(Progress("PyTorch", "plain calls, training"))
        found.uses = run_execution_modes(reference, loaded)
        reference = use_single(reference, loaded)
        on_progress(Progress("PyTorch", "float32, and from_pretrained without a dtype"))
        finish = compute_beside(compare_loads, use_one_thread)
        found.uses.update(run_more_modes(reference, loaded))
    uses, warnings = finish()
    found.uses.update(uses)
    found.warnings += warnings


def _compare_loads(trace: Trace, output: Path, preset: Preset | None) -> Loads:
    """Mode -> its result, of `from_pretrained` without a dtype and of AutoModel; and warnings."""
    written = read_written(output)
    asked = asked_dtype(read_manifest(output)[0], written)
    with trace.arrays() as arrays:
        reference = Reference.of(trace, arrays)
        result, warnings = try_default_load(reference, output, written.tensors, asked, preset)
        base = try_base_load(reference, output, written, preset)
    return {DEFAULT_LOAD: result, **({BASE_LOAD: base} if base is not None else {})}, warnings


def versions() -> dict[str, str]:
    """Versions of what computes on this side."""
    import numpy
    import safetensors
    import torch
    import transformers

    found = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "numpy": numpy.__version__,
        "safetensors": safetensors.__version__,
        "machine": platform.machine(),
    }
    try:
        import sentencepiece

        found["sentencepiece"] = sentencepiece.__version__
    except ImportError:
        pass
    return found
