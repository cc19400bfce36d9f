"""The encoder loaded by AutoModel from the file of a class that has no place for all of it: the file keeps the pooling
layer for this, and without it AutoModel would have a random one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from verify.modes.default_load import compare_values
from verify.modes.mode_runner import CASES
from verify.numbers.compare import Reference, compare_case, describe_failure
from verify.numbers.hooks import compute_sites
from verify.numbers.loading import EAGER, LoadedModel, Loader, LoadFailure, choose_loader, describe
from verify.numbers.quirks import set_quirks
from verify.results.numbers import ModeResult
from verify.weights.output_weights import WrittenWeights


def try_base_load(reference: Reference, output: Path, written: WrittenWeights, preset: Any) -> ModeResult | None:
    """Load OUTPUT by AutoModel, and compare the tensors that were kept for it with the file, and two cases with
    Paddle's numbers. None where the class itself has all that the file holds, or SOURCE had no such tensors."""
    import torch

    trace = reference.trace
    family = trace.family
    try:
        named = choose_loader(output, family)
    except LoadFailure:  # It was found when OUTPUT was loaded.
        return None
    aside = sorted(family.kept_aside(named.name))
    pooler = family.network.pooler
    if not aside or pooler is None or not any(pooler.name in case.sites for case in trace.cases):
        return None
    result, loader = ModeResult(), Loader(family.base_class.auto, family.base_class.target, remote=False)
    options = {"local_files_only": True, "attn_implementation": EAGER, "dtype": getattr(torch, trace.precision)}
    try:
        model, info = loader.auto_class.from_pretrained(str(output), output_loading_info=True, **options)
        loader.check_class(model)
        model.eval()
    except Exception as error:  # whatever OUTPUT's files make of it is a fault of OUTPUT
        result.fail(f"{loader.auto}.from_pretrained fails: {describe(error)}")
        return result
    for name in sorted(info["missing_keys"]):
        result.fail(f"{name}: no file of OUTPUT holds it, and {loader.auto} has a random one")
    loaded = LoadedModel.of(model, loader, family)
    set_quirks(loaded, preset)
    state = model.state_dict()
    for name in [name for name in aside if name in written.tensors]:
        compare_values(result, name, state.get(family.without_backbone(name)), written.tensors[name], trace.precision)
    for case in [case for case in trace.cases if case.name in CASES[:2] and case.through == "model"]:
        through = case.as_of_backbone()
        found = {name: value.numpy() for name, value in _sites(through, reference, loaded).items()}
        for compared in compare_case(found, through, reference):
            result.compared += 1
            if not compared.passed:
                result.fail(f"{describe_failure(compared)} (case {case.name})")
    return result


def _sites(case: Any, reference: Reference, loaded: LoadedModel) -> dict[str, Any]:
    import torch

    with torch.no_grad():
        return compute_sites(case, reference.inputs(case), loaded, EAGER)
