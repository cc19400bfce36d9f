"""What a user gets who calls `from_pretrained` with a folder's name and nothing else: dtypes, values, numbers.

Everywhere else OUTPUT is loaded in the precision of the comparison, which hides what config.json asks for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from verify.modes.execution_modes import CASES
from verify.numbers.compare import compare_site
from verify.numbers.loading import LoadFailure, choose_loader, describe
from verify.numbers.pytorch_process import follow_rules
from verify.numbers.replay import site_scales
from verify.numbers.tolerances import ROUNDING, Limits
from verify.protocol.projections import project
from verify.results.numbers import ModeResult
from verify.results.trace import Arrays, Case, Trace
from verify.weights.output_weights import WrittenTensor

if TYPE_CHECKING:
    import torch

    from converter.open.config.quirks import Behavior

#: Half the distance from 1 to the next number, of every dtype that a model is loaded in.
UNITS = {**ROUNDING, "float16": 2.0**-11, "bfloat16": 2.0**-8}
#: What transformers 4 loads in unless `dtype=` asks for another, whatever config.json names.
_TRANSFORMERS_4 = "float32"
_BLOCK_ELEMENTS = 4 << 20
_NO_DTYPE = "the trace does not hold the dtype that PaddleNLP loads in by default: record it again to have it compared"


def try_default_load(
    trace: Trace,
    arrays: Arrays,
    output: Path,
    written: Mapping[str, WrittenTensor],
    asked: str | None,
    rules: Behavior | None,
) -> tuple[ModeResult, list[str]]:
    """Load OUTPUT plainly, compare every tensor with the file and a few cases with Paddle's numbers. `asked`: the dtype
    that OUTPUT was converted to, if it was. Returns what came of it, and warnings."""
    import transformers

    use, warnings = ModeResult(), []
    expected = asked or trace.head.get("default_dtype")
    try:
        loader, _ = choose_loader(output)
        model = getattr(transformers, loader).from_pretrained(str(output), trust_remote_code=True)
    except LoadFailure as error:
        use.fail(str(error))
        return use, []
    except Exception as error:  # whatever OUTPUT's files or code raise is a fault of OUTPUT
        use.fail(f"{loader}.from_pretrained with no dtype fails: {describe(error)}")
        return use, []
    if expected is None:
        warnings.append(_NO_DTYPE)
        expected = _named_dtype(output)
    elif _named_dtype(output) != expected:
        why = "it was converted to" if asked else "PaddleNLP loads it in"
        use.fail(f"config.json asks for {_named_dtype(output)}, {why} {expected}")
    if expected not in UNITS:
        use.fail(f"config.json asks for {expected}, expected one of {', '.join(UNITS)}")
        return use, warnings
    loaded = _TRANSFORMERS_4 if transformers.__version__.startswith("4.") else expected
    compare_tensors(use, model, written, str(loaded))
    follow_rules(model, rules)
    model.eval()
    scales = site_scales(trace, arrays)
    for case in [case for case in trace.cases if case.name in CASES[:2] and case.through == "model"]:
        compare_case(use, model, case, arrays, scales, coarsest(Limits.of(trace.head), str(loaded)))
    return use, warnings


def compare_tensors(use: ModeResult, model: Any, written: Mapping[str, WrittenTensor], dtype: str) -> None:
    """Every tensor of the file must be in the model, in `dtype`, as the value that the file holds or, where `dtype`
    cannot hold it, as the nearest one. A tensor of the model that no file holds is new, and random."""
    state = model.state_dict()
    for name in sorted(set(state) ^ set(written)):
        where = "no file of OUTPUT holds it" if name in state else "the loaded model has no such tensor"
        use.fail(f"{name}: {where}")
    for name in sorted(set(state) & set(written)):
        use.compared += 1
        if f"torch.{dtype}" != str(state[name].dtype):
            use.fail(f"{name} is {str(state[name].dtype)[6:]} after loading, in Paddle's default load {dtype}")
        elif not _has_values(state[name], written[name]):
            use.fail(f"{name} has other values after loading than the file")


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


def compare_case(
    use: ModeResult, model: Any, case: Case, arrays: Arrays, scales: Mapping[tuple[str, bool], float], limits: Limits
) -> None:
    """One plain call, its outputs against Paddle's within the limits of the dtype that the model computes in."""
    import torch

    where = f"case {case.name}"
    inputs = {name: torch.from_numpy(arrays[case.input_key(name)].copy()) for name in case.inputs}
    try:
        with torch.no_grad():
            outputs = model(**inputs)
            if isinstance(outputs, tuple):  # config.json may ask for one; it has no names.
                outputs = model(**inputs, return_dict=True)
        given = _by_site(outputs, limits.layers)
    except Exception as error:  # whatever OUTPUT's code raises is a fault of OUTPUT
        use.fail(f"the model raises {describe(error)} ({where})")
        return
    for site in case.sites:
        if site not in given:
            continue
        projected, value = site in case.projected, given[site].double().numpy()
        value = project(value) if projected else value
        reference, scale = arrays[case.site_key(site)], scales[site, projected]
        limit = limits.site(site, projected, case.zero_row)
        result = compare_site(case.name, site, reference, value, scale, limit)
        use.compared += 1
        if not result.passed:
            measured = result.problem or f"max |difference| {result.max_rel:.1e} of the largest value"
            use.fail(f"{site} differs: {measured}, allowed {limit:.0e} ({where}, in {limits.precision})")


def _by_site(outputs: Any, layers: int) -> dict[str, torch.Tensor]:
    """The ends of the network by the recorder's names. Information extraction is recorded behind the sigmoid."""
    import torch

    given = {name: outputs[name] for name in ("pooler_output", "logits") if outputs.get(name) is not None}
    if outputs.get("last_hidden_state") is not None:
        given[f"hidden_states.{layers}"] = outputs["last_hidden_state"]
    for part in ("start", "end"):
        if outputs.get(f"{part}_logits") is not None:
            given[f"{part}_logits"] = outputs[f"{part}_logits"]
            given[f"{part}_prob"] = torch.sigmoid(outputs[f"{part}_logits"])
    return given


class LoadLimits(Limits):
    """The limits in a dtype that no comparison site by site is made in."""

    @property
    def unit(self) -> float:
        return UNITS[self.precision]


def coarsest(limits: Limits, loaded: str) -> LoadLimits:
    """The limits of the coarser of the two dtypes: the trace's and the one that OUTPUT is loaded in."""
    precision = max((limits.precision, loaded), key=UNITS.__getitem__)
    return LoadLimits(**{**vars(limits), "precision": precision})


def _named_dtype(output: Path) -> str:
    """What config.json asks for, under either of the names that transformers reads."""
    config = json.loads((output / "config.json").read_text(encoding="utf-8"))
    return str(config.get("dtype") or config.get("torch_dtype") or "float32")
