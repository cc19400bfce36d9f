"""The PyTorch side, in a process of its own: clean of what the caller has imported or changed; its crash is a result.

`judge` starts it; `main` is what runs in it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import signal
import sys
from pathlib import Path
from typing import Any, Callable

from converter.common.errors import Problem, ReferenceFailure
from converter.open.config.quirks import BEHAVIORS, Behavior
from verify.folder.check_manifest import asked_dtype, behavior_of, read_manifest
from verify.protocol.messages import PROGRESS
from verify.reference.subprocess_runner import Ended, clean_environment, run_process
from verify.results.as_json import from_json, to_json
from verify.results.numbers import DEFAULT_LOAD, PytorchResult
from verify.results.trace import Trace, read_trace
from verify.tokens.compare_tokens import compare_tokens
from verify.weights.output_weights import read_written

_PROJECT = Path(__file__).resolve().parents[2]
_CODE = (
    "import sys; sys.path.append(sys.argv.pop(1)); from verify.numbers.pytorch_process import main; main(sys.argv[1])"
)
_AS_REFERENCE = (
    "OUTPUT follows the behavior {0!r}, the reference {1!r}: numbers and tokens were compared with "
    "implicit_mask_token_ids, attention_mask_value and piece_rule set to the reference's at load, where they differ "
    "implicit_mask_queries and position_offset too; the fields themselves were checked by name"
)
#: Set by tests that hold a started interpreter ready.
Start = Callable[[Path, Path, Callable[[str], None]], Ended]


def judge(
    trace: Trace, output: Path, folder: Path, on_progress: Callable[[str], None], start: Start | None = None
) -> PytorchResult:
    """Replay a trace through OUTPUT in a new process; `folder` is ours alone and is where its caches go."""
    request = folder / "judge.json"
    result = folder / "judgement.json"
    request.write_text(
        json.dumps({"trace": str(trace.path.absolute()), "output": str(output.absolute()), "result": str(result)}),
        encoding="utf-8",
    )
    ended = (start or start_process)(request, folder, on_progress)
    if ended.status == -signal.SIGKILL:
        reason = "the process that runs OUTPUT was killed. Was there too little memory?"
        raise ReferenceFailure(Problem("E607", reason))
    if not result.is_file():
        return PytorchResult(problems=[f"the process that runs OUTPUT failed: {ended.reason()}"])
    found = from_json(PytorchResult, json.loads(result.read_text(encoding="utf-8")))
    if not found.sites and not found.problems:
        found.problems.append("OUTPUT ran, and nothing could be compared")
    return found


def check_installed() -> None:
    """Raise ReferenceFailure when OUTPUT cannot be run here, whatever it is."""
    missing = [name for name in ("torch", "transformers") if importlib.util.find_spec(name) is None]
    if missing:
        text = f"{' and '.join(missing)} are needed to run OUTPUT: pip install 'paddle2torch[torch]', or --static-only"
        raise ReferenceFailure(Problem("E607", text))


def start_process(request: Path, folder: Path, on_progress: Callable[[str], None]) -> Ended:
    """A new interpreter like this one, whose copies of OUTPUT's code stay in `folder`."""
    home = folder / "huggingface"
    environment = clean_environment(
        HF_HOME=str(home), HF_MODULES_CACHE=str(home / "modules"), PYTHONDONTWRITEBYTECODE="1"
    )
    # On a busy machine threads that spin while they wait make everything several times slower.
    environment.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # What the caller runs from may be on PYTHONPATH.
    if os.environ.get("PYTHONPATH"):
        environment["PYTHONPATH"] = os.environ["PYTHONPATH"]
    command = [sys.executable, "-c", _CODE, str(_PROJECT), str(request)]
    return run_process(command, environment=environment, folder=folder, on_progress=on_progress)


def main(request_path: str) -> None:
    """Judge, and write the judgement. stdout belongs to the protocol: what OUTPUT's code prints goes to stderr."""
    request = json.loads(Path(request_path).read_text(encoding="utf-8"))
    stdout, sys.stdout = sys.stdout, sys.stderr

    def say(text: str) -> None:
        print(PROGRESS + text, file=stdout, flush=True)

    if "faults" in request:
        from verify.self_test.numbers import write_found

        write_found(request, say)
        return
    found = judge_here(read_trace(Path(request["trace"])), Path(request["output"]), say)
    partial = Path(request["result"] + ".partial")
    partial.write_text(json.dumps(to_json(found)), encoding="utf-8")
    partial.replace(request["result"])


def judge_here(trace: Trace, output: Path, on_progress: Callable[[str], None]) -> PytorchResult:
    """The same in this process."""
    import transformers

    from verify.modes.default_load import try_default_load
    from verify.modes.execution_modes import Uses
    from verify.numbers.loading import LoadFailure, check_as_loaded, load_model
    from verify.numbers.replay import replay_cases

    transformers.utils.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    found = PytorchResult(environment=versions())
    on_progress("loading OUTPUT")
    behavior = behavior_of(read_manifest(output)[0])
    rules = rules_of_trace(trace, behavior)
    if rules is not None:
        found.warnings.append(_AS_REFERENCE.format(behavior, rules.name))
    loaded = None
    try:
        loaded = load_model(output, trace.precision)
    except LoadFailure as error:
        found.problems.append(str(error))
    else:
        found.problems += check_as_loaded(loaded, output)
        follow_rules(loaded.model, rules)
        replayed = replay_cases(trace, loaded, read_written(output).tensors, on_progress)
        found.sites, found.gradients, found.coverage = replayed.sites, replayed.gradients, replayed.coverage
        found.smallest_fault = replayed.smallest_fault
        found.warnings += replayed.warnings
        found.problems += replayed.problems
        found.environment["loader"] = loaded.loader
        found.problems += check_epsilons(loaded.model, trace)
    if trace.has_tokens:
        on_progress("tokenizing with OUTPUT")
        found.tokens = compare_tokens(trace, output, rules.piece_rule if rules else None, loaded)
    if loaded is not None:
        on_progress("PyTorch: plain calls, training, float32")
        with trace.arrays() as arrays:
            found.uses = Uses(trace, arrays, loaded).go()
        loaded = None  # A large model does not fit into memory twice.
        on_progress("PyTorch: from_pretrained without a dtype")
        written = read_written(output)
        asked = asked_dtype(read_manifest(output)[0], written)
        with trace.arrays() as arrays:
            use, warnings = try_default_load(trace, arrays, output, written.tensors, asked, rules)
        found.uses[DEFAULT_LOAD] = use
        found.warnings += warnings
    return found


def rules_of_trace(trace: Trace, behavior: str) -> Behavior | None:
    """The rules that take the place of OUTPUT's while they are compared; None where the trace follows the same."""
    return None if behavior == trace.behavior else BEHAVIORS[trace.behavior]


def follow_rules(model: Any, rules: Behavior | None) -> None:
    """Let a model hide the keys that these rules hide, by what they add, and count positions from where they begin."""
    if rules is not None:
        model.config.implicit_mask_token_ids = rules.hidden_ids(model.config.pad_token_id)
        model.config.implicit_mask_queries = rules.implicit_mask_queries
        model.config.attention_mask_value = rules.attention_mask_value
        backbone = getattr(model, "ernie_m", model)
        if hasattr(backbone, "embeddings"):
            backbone.embeddings.position_offset = rules.position_offset


def check_epsilons(model: Any, trace: Trace) -> list[str]:
    """Inside the layers no input is small enough to show an epsilon: the modules are asked for theirs."""
    import torch

    recorded = set(trace.head.get("layer_norm_eps", []))
    odd = [
        f"{name} has the epsilon {module.eps!r}, Paddle's is {', '.join(map(repr, sorted(recorded)))}"
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.LayerNorm) and recorded and module.eps not in recorded
    ]
    return odd[:1]


def versions() -> dict[str, str]:
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
