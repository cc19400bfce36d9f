"""Run OUTPUT's model in every execution mode but the one in which activations are compared one by one: called plainly,
for a tuple, in training, in float32, with other inputs, changed. Each is compared with Paddle's numbers too."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Callable

from verify.modes.changed_models import other_embeddings, save_and_reload
from verify.modes.mode_runner import ModeRunner
from verify.modes.more_modes import (
    as_if_compiling,
    autocast,
    forms_of_positions,
    in_surroundings,
    inference_mode,
    int32_ids,
    many_texts,
    unusual_texts,
    vectors_alone,
)
from verify.modes.training import describe_dropouts, dropout_as_identity, expected_dropouts
from verify.numbers.compare import Reference
from verify.numbers.loading import SDPA, LoadedModel, describe
from verify.numbers.replay import use_attention
from verify.numbers.shared import share
from verify.results.numbers import ModeResult
from verify.results.trace import Case

PLAIN, TUPLE, ATTENTIONS, TRAINING = "plain call", "return_dict=False", "output_attentions=True", "training"
SINGLE = "float32"
#: Further modes, in float32 and with sdpa: name -> function.
MODES: dict[str, Callable[[ModeRunner, ModeResult], None]] = {
    "int32 ids": int32_ids,
    "many texts": many_texts,
    "forms of position_ids": forms_of_positions,
    "inputs_embeds": vectors_alone,
    "unusual texts": unusual_texts,
    "inference_mode": in_surroundings(inference_mode, "in inference_mode"),
    "code for torch.compile": in_surroundings(as_if_compiling, "with torch.compiler.is_compiling() true"),
    "autocast": autocast,
    "other embeddings": other_embeddings,
    "save and reload": save_and_reload,
}
#: Modes that are not run -> why, and where they are.
NO_SDPA = "transformers {version} has no such attention for this class: eager is what a user gets"
NOT_RUN = {"torch.compile": "it compiles for minutes; tests/ecosystem/ of the project compiles a small model"}


def run_execution_modes(reference: Reference, loaded: LoadedModel) -> dict[str, ModeResult]:
    """Mode -> its result, of the modes in the precision of the comparison."""
    runner = ModeRunner(reference, loaded)

    def run(attention: str, number: int) -> dict[str, ModeResult]:
        use_attention(loaded.model, attention)
        one = ModeRunner(reference, loaded)
        for case in one.cases[:2]:
            _run(one, case, attention, PLAIN)
            _run(one, case, attention, TUPLE, return_dict=False, output_hidden_states=True)
            _run(one, case, attention, ATTENTIONS, output_attentions=True)
        _train(one, attention)
        return one.results

    for results in share(run, loaded.attentions):
        runner.add(results)
    return runner.results


def use_single(reference: Reference, loaded: LoadedModel) -> Reference:
    """Change the model to float32. Returns the same numbers with the limits of float32."""
    import torch

    if reference.trace.precision == SINGLE:
        return reference
    loaded.model.to(torch.float32)
    return in_float32(reference)


def run_more_modes(reference: Reference, loaded: LoadedModel) -> dict[str, ModeResult]:
    """Mode -> its result, of a model in float32 with its reference. What OUTPUT's code raises is a fault of OUTPUT."""
    import transformers

    runner = ModeRunner(reference, loaded)
    plain = [f"{SINGLE}, {attention}" for attention in loaded.attentions]
    tasks = [*(plain if reference.trace.precision != SINGLE else []), *MODES]

    def run(task: str, number: int) -> dict[str, ModeResult]:
        one = ModeRunner(reference, loaded)
        if task in MODES:
            _run_further(one, task)
        else:
            attention = task.rpartition(" ")[2]
            use_attention(loaded.model, attention)
            for case in one.cases:
                _run(one, case, attention, SINGLE, output_hidden_states=True)
        return one.results

    for results in share(run, tasks):
        runner.add(results)
    runner.results.update({mode: ModeResult(skipped=reason) for mode, reason in NOT_RUN.items()})
    if SDPA not in loaded.attentions:
        runner.results[SDPA] = ModeResult(skipped=NO_SDPA.format(version=transformers.__version__))
    return runner.results


def _run_further(runner: ModeRunner, mode: str) -> None:
    """A mode of the table, with what the class has of sdpa."""
    use_attention(runner.loaded.model, runner.loaded.attentions[-1])
    result = runner.result_of(mode)
    try:
        MODES[mode](runner, result)
    except Exception as error:
        result.fail(f"the model raises {describe(error)}")


def in_float32(reference: Reference) -> Reference:
    """The same numbers with the limits of float32."""
    return replace(reference, limits=replace(reference.limits, precision=SINGLE))


def _run(runner: ModeRunner, case: Case, attention: str, mode: str, **options: Any) -> bool:
    """Call the model with one case and compare. False where it raises."""
    result, where = runner.result_of(mode), f"case {case.name}, {attention}"
    try:
        outputs = runner.call(runner.inputs(case), **options)
    except Exception as error:  # whatever OUTPUT's code raises is a fault of OUTPUT
        result.fail(f"the model raises {describe(error)} ({where})")
        return False
    runner.compare(result, case, outputs, where)
    return True


def _train(runner: ModeRunner, attention: str) -> None:
    """With dropout as the identity the numbers are those of eval mode. The calls of dropout are Paddle's."""
    model = runner.loaded.model
    model.train()
    try:
        for case in runner.cases[:2]:
            with dropout_as_identity() as asked:
                ran = _run(runner, case, attention, TRAINING)
            expected = expected_dropouts(runner.loaded)
            if ran and asked != expected:
                text = f"dropout is applied {describe_dropouts(asked)}, in Paddle {describe_dropouts(expected)}"
                runner.result_of(TRAINING).fail(f"{text} (case {case.name}, {attention})")
    finally:
        model.eval()
