"""The cases of a trace through the PyTorch model of OUTPUT, each compared where Paddle's numbers were recorded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Callable

from verify.compare import TOLERANCES, ZERO_ROW_TOLERANCES, SiteResult, compare_site
from verify.loading import LoadedModel, describe
from verify.trace import Arrays, Case, Trace

if TYPE_CHECKING:
    import numpy as np
    import torch

#: Classes that have no pooling layer in PyTorch; Paddle's have one that nothing reads.
WITHOUT_POOLER = ("ErnieMForTokenClassification", "ErnieMForQuestionAnswering")
_INSIDE = re.compile(r"layers\.(\d+)\.(.+)")
#: Paddle's name of a part of a layer -> the port's, where they differ.
_PARTS = {f"self_attn.{part}": f"self_attn.self_attn.{part}" for part in ("q_proj", "k_proj", "v_proj")}


@dataclass
class Replay:
    """What came of all cases."""

    sites: list[SiteResult] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def replay_cases(trace: Trace, loaded: LoadedModel, on_progress: Callable[[str], None]) -> Replay:
    """Run every case eager, and those that show the attention once more with sdpa, which is what a user gets."""
    done = Replay()
    with trace.arrays() as arrays:
        scales = site_scales(trace, arrays)
        for number, case in enumerate(trace.cases):
            on_progress(f"PyTorch: case {number + 1} of {len(trace.cases)}, {case.name}")
            replay_case(trace, case, arrays, loaded, scales, "eager", done)
        use_attention(loaded.model, "sdpa")
        for case in trace.cases:
            if _shows_attention(case):
                on_progress(f"PyTorch with sdpa: {case.name}")
                replay_case(trace, case, arrays, loaded, scales, "sdpa", done)
    return done


def site_scales(trace: Trace, arrays: Arrays) -> dict[str, float]:
    """The largest value of each site over all cases; a loss counts as at least 1, being a mean of larger terms."""
    import numpy as np

    scales: dict[str, float] = {}
    for case in trace.cases:
        for site in case.sites:
            recorded = arrays[case.site_key(site)]
            largest = float(np.abs(recorded).max()) if recorded.size else 0.0
            scales[site] = max(scales.get(site, 1.0 if site == "loss" else 0.0), largest)
    return scales


def _shows_attention(case: Case) -> bool:
    """Whether a case is worth another run with sdpa: every form of mask, none, and the longest text."""
    labelled = "labels" in case.inputs or "start_positions" in case.inputs
    return ("attention_mask" in case.inputs and not labelled) or case.name in ("batch", "ids.zero_and_pad", "longest")


def use_attention(model: Any, name: str) -> None:
    if hasattr(model, "set_attn_implementation"):
        model.set_attn_implementation(name)
    else:
        model.config._attn_implementation = name


def replay_case(
    trace: Trace,
    case: Case,
    arrays: Arrays,
    loaded: LoadedModel,
    scales: dict[str, float],
    attention: str,
    done: Replay,
) -> None:
    """Run one case and add its results. What OUTPUT's code raises is a problem of OUTPUT."""
    name = case.name if attention == "eager" else f"{case.name} ({attention})"
    inputs = {key: arrays[case.input_key(key)] for key in case.inputs}
    try:
        found = compute_sites(case, inputs, loaded, attention)
    except Exception as error:
        done.problems.append(f"case {name} ({case.why}): the model raises {describe(error)}")
        return
    tolerance = (ZERO_ROW_TOLERANCES if case.zero_row else TOLERANCES)[trace.precision]
    for site in case.sites:
        if site in found:
            reference = arrays[case.site_key(site)]
            done.sites.append(compare_site(name, site, reference, found[site], scales[site], tolerance))
        elif not _may_lack(site, loaded, attention):
            problem = "OUTPUT's model does not give it"
            done.sites.append(SiteResult(name, site, None, None, tolerance, False, problem))
        elif _INSIDE.fullmatch(site) and attention == "eager":
            text = "the model's code has no module of the usual name for sites inside the layers, such as " + site
            if not any(warning.startswith(text[:60]) for warning in done.warnings):
                done.warnings.append(text)


def _may_lack(site: str, loaded: LoadedModel, attention: str) -> bool:
    if site == "pooler_output":
        return type(loaded.model).__name__ in WITHOUT_POOLER
    # sdpa never forms the probabilities, and other code may be cut into other modules.
    return bool(_INSIDE.fullmatch(site)) or (attention == "sdpa" and site.startswith("attentions."))


def compute_sites(
    case: Case, inputs: dict[str, np.ndarray], loaded: LoadedModel, attention: str
) -> dict[str, np.ndarray]:
    """The sites of a case by name, as numpy arrays."""
    import torch

    if case.through not in ("model", "backbone"):
        table = getattr(loaded.backbone.embeddings, case.through)
        return {case.through: _table_rows(table, inputs.get("columns"))}
    tensors = {name: torch.from_numpy(array.copy()) for name, array in inputs.items()}
    before = {name: tensor.clone() for name, tensor in tensors.items()}
    target = loaded.model if case.through == "model" else loaded.backbone
    if case.problem_type is not None:
        loaded.model.config.problem_type = case.problem_type
    with torch.no_grad(), _watch(loaded, case) as sites:
        outputs = target(**tensors, output_hidden_states=True, output_attentions=attention == "eager", return_dict=True)
    for name, tensor in tensors.items():
        if not torch.equal(tensor, before[name]):
            raise ValueError(f"forward changed the caller's {name}")
    sites.update(_output_sites(outputs))
    return {name: value.numpy() for name, value in sites.items()}


def _table_rows(layer: Any, columns: np.ndarray | None) -> np.ndarray:
    """Every row of an embedding, through the layer itself; with `columns`, the rows' products with them."""
    import numpy as np
    import torch

    rows: int = layer.weight.shape[0]
    found = []
    with torch.no_grad():
        for start in range(0, rows, 8192):
            block = layer(torch.arange(start, min(start + 8192, rows))).numpy()
            found.append(block if columns is None else block @ columns)
    return np.concatenate(found)


@contextmanager
def _watch(loaded: LoadedModel, case: Case) -> Iterator[dict[str, torch.Tensor]]:
    """Collects what only hooks can see: inside the layers, and the pooler of a model with a head."""
    sites: dict[str, torch.Tensor] = {}
    handles = []
    modules = dict(loaded.backbone.named_modules())
    wanted = {site: _module_name(site) for site in case.sites if _INSIDE.fullmatch(site) or site == "pooler_output"}
    for site, path in wanted.items():
        if path in modules:

            def keep(module: Any, arguments: Any, output: torch.Tensor, site: str = site) -> None:
                sites[site] = output

            handles.append(modules[path].register_forward_hook(keep))
    try:
        yield sites
    finally:
        for handle in handles:
            handle.remove()


def _module_name(site: str) -> str:
    match = _INSIDE.fullmatch(site)
    return f"encoder.layers.{match[1]}.{_PARTS.get(match[2], match[2])}" if match else "pooler"


def _output_sites(outputs: Any) -> dict[str, torch.Tensor]:
    import torch

    sites: dict[str, torch.Tensor] = {}
    for number, state in enumerate(outputs.hidden_states):
        sites[f"hidden_states.{number}"] = state
    for number, probabilities in enumerate(getattr(outputs, "attentions", None) or ()):
        sites[f"attentions.{number}"] = probabilities
    last = getattr(outputs, "last_hidden_state", None)
    if last is not None and not torch.equal(last, outputs.hidden_states[-1]):
        raise ValueError("last_hidden_state is not the last of hidden_states")
    for name in ("pooler_output", "logits", "start_logits", "end_logits", "loss"):
        value = getattr(outputs, name, None)
        if value is not None:
            sites[name] = value
    for part in ("start", "end"):  # Paddle's UIEM gives probabilities where ours gives logits
        if f"{part}_logits" in sites:
            sites[f"{part}_prob"] = torch.sigmoid(sites[f"{part}_logits"])
    return sites
