"""The sites of a case in the PyTorch model: its outputs, and by hooks what is inside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from verify.numbers.loading import LoadedModel
from verify.protocol.gradient_functional import BLOCK_ROWS
from verify.protocol.projections import project
from verify.results.trace import Case

if TYPE_CHECKING:
    import numpy as np
    import torch

#: Classes that have no pooling layer in PyTorch; Paddle's have one that nothing reads.
WITHOUT_POOLER = ("ErnieMForTokenClassification", "ErnieMForQuestionAnswering")
_INSIDE = re.compile(r"layers\.(\d+)\.(.+)")
#: Paddle's name of a part of a layer -> the port's, where they differ.
_PARTS = {f"self_attn.{part}": f"self_attn.self_attn.{part}" for part in ("q_proj", "k_proj", "v_proj")}
_PROJECTION = re.compile(r"self_attn\.self_attn\.([qkv]_proj)")
#: Sites that go into a module, not out of it.
_INPUTS = {"embeddings.sum": "embeddings.layer_norm", "self_attn.context": "self_attn.out_proj"}


def paddle_name(target: str) -> str:
    """What Paddle calls a parameter or module of the PyTorch class. The mapping has no part in this: it is under
    judgement."""
    return re.sub(r"\bqa_outputs\b", "classifier", _PROJECTION.sub(r"self_attn.\1", target))


def inside_site(site: str) -> bool:
    """Whether a site is one that only hooks on modules of the usual names see."""
    return bool(_INSIDE.fullmatch(site)) or site in _INPUTS or site.startswith(("norm:", "linear:"))


def of_pooler(site: str) -> bool:
    return site in ("pooler_output", "linear:pooler.dense")


def may_lack(site: str, loaded: LoadedModel, attention: str) -> bool:
    """Whether a sound model may be without this site."""
    if of_pooler(site):
        return type(loaded.model).__name__ in WITHOUT_POOLER
    # sdpa never forms the probabilities, and other code may be cut into other modules.
    return inside_site(site) or (attention == "sdpa" and site.startswith("attentions."))


def compute_sites(
    case: Case, inputs: dict[str, np.ndarray], loaded: LoadedModel, attention: str
) -> dict[str, torch.Tensor]:
    """The sites of a case by name. Raises ValueError when the model changes what it was given."""
    import torch

    tensors = {name: torch.from_numpy(array.copy()) for name, array in inputs.items()}
    before = {name: tensor.clone() for name, tensor in tensors.items()}
    target = loaded.model if case.through == "model" else loaded.backbone
    if case.problem_type is not None:
        loaded.model.config.problem_type = case.problem_type
    with _watch(loaded, case) as sites:
        outputs = target(**tensors, output_hidden_states=True, output_attentions=attention == "eager", return_dict=True)
    for name, tensor in tensors.items():
        if not torch.equal(tensor, before[name]):
            raise ValueError(f"forward changed the caller's {name}")
    sites.update(_output_sites(outputs))
    return sites


def sites_alone(case: Case, inputs: dict[str, np.ndarray], loaded: LoadedModel) -> dict[str, np.ndarray]:
    """What is looked at alone: every row of a table, every LayerNorm with a small input, every linear layer."""
    import torch

    if case.through == "norms":
        small = torch.from_numpy(inputs["small"].copy())
        modules = dict(loaded.backbone.named_modules())
        named = ((site, modules.get(site[len("norm:") :])) for site in case.sites)
        with torch.no_grad():
            return {site: norm(small).numpy() for site, norm in named if norm is not None}
    if case.through == "linears":
        vector = torch.from_numpy(inputs["vector"].copy())
        linears = _linears(loaded)
        known = ((site, linears.get(site[len("linear:") :])) for site in case.sites)
        with torch.no_grad():
            return {
                site: linear(vector[:, : linear.in_features]).numpy() for site, linear in known if linear is not None
            }
    table = getattr(loaded.backbone.embeddings, case.through)
    return {case.through: _table_rows(table, case.through in case.projected)}


def _linears(loaded: LoadedModel) -> dict[str, torch.nn.Linear]:
    """Every linear layer by Paddle's name."""
    from torch.nn import Linear

    modules = {**dict(loaded.model.named_modules()), **dict(loaded.backbone.named_modules())}
    return {paddle_name(name): module for name, module in modules.items() if isinstance(module, Linear)}


def _table_rows(layer: Any, projected: bool) -> np.ndarray:
    """Every row of an embedding, through the layer itself; or the rows' products with a seeded column."""
    import numpy as np
    import torch

    rows: int = layer.weight.shape[0]
    found = []
    with torch.no_grad():
        for start in range(0, rows, BLOCK_ROWS):
            block = layer(torch.arange(start, min(start + BLOCK_ROWS, rows))).numpy()
            found.append(project(block, 1) if projected else block)
    return np.concatenate(found)


@contextmanager
def _watch(loaded: LoadedModel, case: Case) -> Iterator[dict[str, torch.Tensor]]:
    """Collects what only hooks can see: inside the layers, and the pooler of a model with a head."""
    sites: dict[str, torch.Tensor] = {}
    handles = []
    modules = dict(loaded.backbone.named_modules())
    for site in case.sites:
        path, is_input = _place(site)
        if path not in modules:
            continue

        def keep(module: Any, arguments: Any, output: Any = None, site: str = site) -> None:
            sites[site] = arguments[0] if output is None else output

        register = modules[path].register_forward_pre_hook if is_input else modules[path].register_forward_hook
        handles.append(register(keep))
    try:
        yield sites
    finally:
        for handle in handles:
            handle.remove()


def _place(site: str) -> tuple[str, bool]:
    """The module where a site is, and whether it is what goes into it. No module for those that the model returns."""
    if site == "pooler_output":
        return "pooler", False
    if site in _INPUTS:
        return _INPUTS[site], True
    match = _INSIDE.fullmatch(site)
    if not match:
        return "?", False
    part = match[2]
    return f"encoder.layers.{match[1]}.{_INPUTS.get(part) or _PARTS.get(part, part)}", part in _INPUTS


def _output_sites(outputs: Any) -> dict[str, torch.Tensor]:
    import torch

    sites: dict[str, torch.Tensor] = {}
    for number, state in enumerate(outputs.hidden_states):
        sites[f"hidden_states.{number}"] = state
    for number, probabilities in enumerate(getattr(outputs, "attentions", None) or ()):
        sites[f"attentions.{number}"] = probabilities
    last = getattr(outputs, "last_hidden_state", None)
    # Numbers that are no numbers differ from themselves: they are told where they first appear.
    if last is not None and not torch.equal(last.nan_to_num(), outputs.hidden_states[-1].nan_to_num()):
        raise ValueError("last_hidden_state is not the last of hidden_states")
    for name in ("pooler_output", "logits", "start_logits", "end_logits", "loss"):
        value = getattr(outputs, name, None)
        if value is not None:
            sites[name] = value
    for part in ("start", "end"):  # Paddle's UIEM gives probabilities where ours gives logits
        if f"{part}_logits" in sites:
            sites[f"{part}_prob"] = torch.sigmoid(sites[f"{part}_logits"])
    return sites
