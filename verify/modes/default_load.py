"""Load OUTPUT by `from_pretrained` with a folder's name and nothing else, as many users do: dtypes, values, numbers.

Everywhere else OUTPUT is loaded in the precision of the comparison, which hides what config.json asks for.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mappings.quirks import Preset
from verify.modes.mode_runner import CASES
from verify.numbers.compare import Reference, compare_case, describe_failure
from verify.numbers.hooks import name_outputs
from verify.numbers.loading import LoadedModel, LoadFailure, choose_loader, describe
from verify.numbers.quirks import set_quirks
from verify.numbers.tolerances import Limits
from verify.results.numbers import ModeResult
from verify.results.precision import UNITS
from verify.results.trace import Case
from verify.weights.output_weights import WrittenTensor

if TYPE_CHECKING:
    import torch

#: What transformers 4 loads in unless `dtype=` asks for another, whatever config.json names.
_TRANSFORMERS_4 = "float32"
_BLOCK_ELEMENTS = 4 << 20
_NO_DTYPE = "the trace does not hold the dtype that PaddleNLP loads in by default: record it again to have it compared"


def try_default_load(
    reference: Reference,
    output: Path,
    written: Mapping[str, WrittenTensor],
    asked: str | None,
    preset: Preset | None,
) -> tuple[ModeResult, list[str]]:
    """Load OUTPUT plainly, compare every tensor with the file and a few cases with Paddle's numbers. `asked`: the dtype
    that OUTPUT was converted to, if it was. Returns the result, and warnings."""
    import transformers

    result, warnings, trace = ModeResult(), [], reference.trace
    expected = asked or trace.head.get("default_dtype")
    try:
        loader = choose_loader(output, trace.family)
        model = loader.auto_class.from_pretrained(str(output), **loader.options)
    except LoadFailure as error:
        result.fail(str(error))
        return result, []
    except Exception as error:  # whatever OUTPUT's files or code raise is a fault of OUTPUT
        result.fail(f"{loader.auto}.from_pretrained with no dtype fails: {describe(error)}")
        return result, []
    if expected is None:
        warnings.append(_NO_DTYPE)
        expected = _named_dtype(output)
    elif _named_dtype(output) != expected:
        why = "it was converted to" if asked else "PaddleNLP loads it in"
        result.fail(f"config.json asks for {_named_dtype(output)}, {why} {expected}")
    if expected not in UNITS:
        result.fail(f"config.json asks for {expected}, expected one of {', '.join(UNITS)}")
        return result, warnings
    dtype = str(_TRANSFORMERS_4 if transformers.__version__.startswith("4.") else expected)
    loaded = LoadedModel.of(model, loader, trace.family)
    compare_tensors(result, loaded, written, dtype)
    set_quirks(loaded, preset)
    model.eval()
    reference = replace(reference, limits=coarsest(reference.limits, dtype))
    for case in [case for case in trace.cases if case.name in CASES[:2] and case.through == "model"]:
        _compare_call(result, loaded, case, reference)
    return result, warnings


def compare_tensors(result: ModeResult, loaded: LoadedModel, written: Mapping[str, WrittenTensor], dtype: str) -> None:
    """Every tensor of the file must be in the model, in `dtype`, as the value that the file holds or, where `dtype`
    cannot hold it, as the nearest one. A tensor of the model that no file holds is new, and random, but for a second
    name of one that a file holds."""
    state = loaded.model.state_dict()
    aside = loaded.family.kept_aside(type(loaded.model).__name__)
    for name in sorted((set(state) ^ set(written)) - second_names(state, written) - aside):
        where = "no file of OUTPUT holds it" if name in state else "the loaded model has no such tensor"
        result.fail(f"{name}: {where}")
    for name in sorted(set(state) & set(written)):
        compare_values(result, name, state[name], written[name], dtype)


def compare_values(
    result: ModeResult, name: str, found: torch.Tensor | None, written: WrittenTensor, dtype: str
) -> None:
    """A tensor of the model against that of the file; None where the model has none."""
    result.compared += 1
    if found is None:
        result.fail(f"{name}: the loaded model has no such tensor")
    elif f"torch.{dtype}" != str(found.dtype):
        result.fail(f"{name} is {str(found.dtype)[6:]} after loading, in Paddle's default load {dtype}")
    elif not _has_values(found, written):
        result.fail(f"{name} has other values after loading than the file")


def second_names(state: Mapping[str, torch.Tensor], known: Collection[str]) -> set[str]:
    """The tensors of a model that are not in `known` and are one with a tensor that is: tied ones."""
    places = {(state[name].data_ptr(), state[name].shape) for name in state if name in known}
    return {name for name, tensor in state.items() if name not in known and (tensor.data_ptr(), tensor.shape) in places}


def _has_values(loaded: torch.Tensor, written: WrittenTensor) -> bool:
    """Compared in blocks: widened copies of an embedding would not fit into memory everywhere."""
    import numpy as np
    import torch

    stored = written.read()
    if tuple(loaded.shape) != written.shape:
        return False
    flat, other = loaded.reshape(-1), stored.reshape(-1)
    for start in range(0, max(1, flat.numel()), _BLOCK_ELEMENTS):
        block = np.array(other[start : start + _BLOCK_ELEMENTS])
        found = flat[start : start + _BLOCK_ELEMENTS]
        bits = torch.from_numpy(block.view(np.int16)).view(torch.bfloat16) if written.dtype == "bfloat16" else None
        expected = (torch.from_numpy(block) if bits is None else bits).to(found.dtype)
        if not torch.equal(_as_whole(found), _as_whole(expected)):
            return False
    return True


def _as_whole(values: torch.Tensor) -> torch.Tensor:
    """The bits: a NaN equals itself, and -0.0 is not 0.0."""
    import torch

    kinds = {2: torch.int16, 4: torch.int32, 8: torch.int64}
    return values.detach().contiguous().view(kinds[values.element_size()])


def _compare_call(result: ModeResult, loaded: LoadedModel, case: Case, reference: Reference) -> None:
    """Compare one plain call with Paddle's numbers, within the limits of the dtype that the model computes in."""
    import torch

    where = f"case {case.name}"
    inputs = {name: torch.from_numpy(array.copy()) for name, array in reference.inputs(case).items()}
    try:
        with torch.no_grad():
            outputs = loaded.model(**inputs)
            if isinstance(outputs, tuple):  # config.json may ask for one; it has no names.
                outputs = loaded.model(**inputs, return_dict=True)
        named = name_outputs(outputs, loaded.family.network, reference.trace.layers)
        found = {name: value.double().numpy() for name, value in named.items() if name in case.sites}
    except Exception as error:  # whatever OUTPUT's code raises is a fault of OUTPUT
        result.fail(f"the model raises {describe(error)} ({where})")
        return
    for compared in compare_case(found, case, reference):
        result.compared += 1
        if not compared.passed:
            result.fail(f"{describe_failure(compared)} ({where}, in {reference.limits.precision})")


def coarsest(limits: Limits, dtype: str) -> Limits:
    """The limits of the coarser of two dtypes: the trace's and the one that OUTPUT is loaded in."""
    return replace(limits, precision=max((limits.precision, dtype), key=UNITS.__getitem__))


def _named_dtype(output: Path) -> str:
    """What config.json asks for, under either of the names that transformers reads."""
    config = json.loads((output / "config.json").read_text(encoding="utf-8"))
    return str(config.get("dtype") or config.get("torch_dtype") or "float32")
