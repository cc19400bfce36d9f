"""The quirk of ERNIE and of families with its layers: the epsilon of the norms.

PaddleNLP's initialisation sets it (`_init_weights` of ernie/modeling.py): 1e-5 in 2.0.8, 1e-12 from 2.1.1 on, whatever
the config has. Loading with `low_cpu_mem_usage=True` leaves that out, and the norms have Paddle's 1e-5. So has Baidu's
own training code. The converter has the same quirk in mappings/ernie; it is stated again, for the recorder reads none
of it.
"""

from __future__ import annotations

from typing import Any

from verify.protocol.request import Request
from verify.recorder.families.ernie.classes import norms_of
from verify.recorder.families.ernie.port import is_port
from verify.recorder.families.exact_epsilon import follow_epsilon

Epsilons = Any  # Quirk -> epsilon.
#: transformers' own folders have that of their config.
EPSILONS = {"paddlenlp": 1e-12, "release": 1e-5}
PORT = "transformers"
#: transformers' epsilon where its config is silent (configuration_ernie.py).
PORT_EPSILON = 1e-12


def own_quirk(epsilons: Epsilons, backbone: Any) -> str | None:
    """The quirk of this release of PaddleNLP, by the norms of the sanity model; None for an unknown one."""
    found = {float(norm._epsilon) for norm in norms_of(backbone)}
    return next((name for name, epsilon in epsilons.items() if found == {epsilon}), None)


def choose_quirk(request: Request, weights: Any) -> str:
    """The one that the request names, else that of the weights' names."""
    return request.behavior or quirk_of_source(request, weights, "")


def quirk_of_source(request: Request, weights: Any, how: str) -> str:
    """The quirk of the release that wrote a checkpoint; `verify`, which has read more of SOURCE, states it."""
    return request.source_behavior or (PORT if is_port(weights) else "paddlenlp")


def follow_quirk(epsilons: Epsilons, model: Any, quirk: str, own: str | None) -> list[str]:
    """Give every norm the epsilon of `quirk`, unless this PaddleNLP does so by itself (`own`). Returns notes."""
    if quirk in (own, PORT):  # A port's is set where its config is read.
        return []
    for norm in norms_of(model):
        norm._epsilon = epsilons[quirk]
    return [f"every LayerNorm was given the epsilon {epsilons[quirk]!r} in place of PaddleNLP's own"]


def adapt_model(
    model: Any, fields: dict[str, Any], weights: Any, precision: str
) -> tuple[dict[str, Any] | None, list[str]]:
    """Give PaddleNLP's class the epsilon of a port's config. Returns it as a field, and notes; None for weights that
    are not a port's."""
    if not is_port(weights):
        return None, []
    given = fields.get("layer_norm_eps")
    epsilon = PORT_EPSILON if given is None else float(given)
    follow_epsilon(model, epsilon, precision)
    return {"layer_norm_eps": epsilon}, [f"every LayerNorm with the epsilon {epsilon!r} of the config, by Paddle"]
