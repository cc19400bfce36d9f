"""The activations of a case in the PyTorch model: its outputs, and by hooks what is inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mappings.network import LINEAR, NORM, Network
from verify.numbers.loading import LoadedModel
from verify.protocol.gradient_functional import BLOCK_ROWS
from verify.protocol.projections import project
from verify.results.trace import Case

if TYPE_CHECKING:
    import numpy as np
    import torch

#: What transformers' models return for each layer.
_OF_LAYERS = ("hidden_states", "attentions")


def may_lack(site: str, loaded: LoadedModel, attention: str) -> bool:
    """Whether a sound model may be without this activation."""
    network = loaded.family.network
    if network.is_of_pooler(site):
        return not loaded.has_pooler
    # sdpa never forms the probabilities, and other code may be cut into other modules.
    is_probabilities = site.startswith(f"{network.attention.probabilities}.")
    return network.is_internal(site) or (attention == "sdpa" and is_probabilities)


def compute_sites(
    case: Case, inputs: dict[str, np.ndarray], loaded: LoadedModel, attention: str
) -> dict[str, torch.Tensor]:
    """The activations of a case by name. Raises ValueError when the model changes its inputs."""
    import torch

    tensors = {name: torch.from_numpy(array.copy()) for name, array in inputs.items()}
    before = {name: tensor.clone() for name, tensor in tensors.items()}
    target = loaded.model if case.through == "model" else loaded.backbone
    with _watch(loaded, case) as sites, _of_problem_type(loaded.model, case):
        outputs = target(**tensors, output_hidden_states=True, output_attentions=attention == "eager", return_dict=True)
    for name, tensor in tensors.items():
        if not torch.equal(tensor, before[name]):
            raise ValueError(f"forward changed the caller's {name}")
    last, states = outputs.get("last_hidden_state"), outputs["hidden_states"]
    # NaN differs from itself: it is reported where it first appears.
    if last is not None and not torch.equal(last.nan_to_num(), states[-1].nan_to_num()):
        raise ValueError("last_hidden_state is not the last of hidden_states")
    sites.update(name_outputs(outputs, loaded.family.network, len(states) - 1))
    return sites


def name_outputs(outputs: Mapping[str, Any], network: Network, layers: int) -> dict[str, torch.Tensor]:
    """The outputs of a model by the names of activations. Probabilities follow from logits, where Paddle's class
    returns those."""
    import torch

    named: dict[str, torch.Tensor] = {}
    for kind in _OF_LAYERS:
        named.update({f"{kind}.{number}": value for number, value in enumerate(outputs.get(kind) or ())})
    if outputs.get("last_hidden_state") is not None:
        named[network.state_after(layers)] = outputs["last_hidden_state"]
    for end in network.ends:
        value = outputs.get(end.sigmoid_of or end.name)
        if value is not None:
            named[end.name] = torch.sigmoid(value) if end.sigmoid_of else value
    return named


def run_alone(case: Case, inputs: dict[str, np.ndarray], loaded: LoadedModel) -> dict[str, np.ndarray]:
    """The results of modules that are run alone: every row of a table, every LayerNorm with a small input, every
    linear layer."""
    import torch

    if case.through == "norms":
        small = torch.from_numpy(inputs["small"].copy())
        modules = {**dict(loaded.model.named_modules()), **dict(loaded.backbone.named_modules())}
        norms = {loaded.family.paddle_name(name): module for name, module in modules.items()}
        named = ((site, norms.get(site[len(NORM) :])) for site in case.sites)
        with torch.no_grad():
            return {site: norm(small).numpy() for site, norm in named if norm is not None}
    if case.through == "linears":
        vector, linears = torch.from_numpy(inputs["vector"].copy()), _linears(loaded)
        known = ((site, linears.get(site[len(LINEAR) :])) for site in case.sites)
        with torch.no_grad():
            return {site: each(vector[:, : each.in_features]).numpy() for site, each in known if each is not None}
    table = next(each for each in loaded.family.network.tables if each.name == case.through)
    layer = loaded.backbone.get_submodule(table.module)
    return {case.through: _table_rows(layer, case.through in case.projected, case.left_out)}


def _linears(loaded: LoadedModel) -> dict[str, torch.nn.Linear]:
    """Every linear layer by Paddle's name; those of the encoder also from the encoder on."""
    from torch.nn import Linear

    modules = {**dict(loaded.model.named_modules()), **dict(loaded.backbone.named_modules())}
    return {loaded.family.paddle_name(name): module for name, module in modules.items() if isinstance(module, Linear)}


def _table_rows(layer: Any, projected: bool, left_out: int | None) -> np.ndarray:
    """Every row of an embedding, through the layer itself; or the rows' products with a seeded column. A row that is
    left out is 0."""
    import numpy as np
    import torch

    rows: int = layer.weight.shape[0]
    found = []
    with torch.no_grad():
        for start in range(0, rows, BLOCK_ROWS):
            block = layer(torch.arange(start, min(start + BLOCK_ROWS, rows))).numpy()
            if left_out is not None and start <= left_out < start + len(block):
                block[left_out - start] = 0
            found.append(project(block, 1) if projected else block)
    return np.concatenate(found)


@contextmanager
def _of_problem_type(model: Any, case: Case) -> Iterator[None]:
    """The config names the problem type that the case asks for, which no other must see: cases run in any order."""
    if case.problem_type is None:
        yield
        return
    before, model.config.problem_type = model.config.problem_type, case.problem_type
    try:
        yield
    finally:
        model.config.problem_type = before


@contextmanager
def _watch(loaded: LoadedModel, case: Case) -> Iterator[dict[str, torch.Tensor]]:
    """Collects what only hooks can see: inside the layers, and the pooler of a model with a head."""
    sites: dict[str, torch.Tensor] = {}
    handles = []
    modules = {**dict(loaded.model.named_modules()), **dict(loaded.backbone.named_modules())}
    for site in case.sites:
        path, is_input = loaded.family.network.module_of(site)
        if not path or path not in modules:
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
