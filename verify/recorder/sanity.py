"""Whether this Paddle can be relied on: a tiny model, run twice, must give the numbers that are shipped.

Installations are known that give empty, constant or random numbers (PaddleNLP issues 6280, 6884, 7465).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from verify.protocol.messages import report_progress
from verify.recorder.behavior import own_behavior
from verify.recorder.expected import EXPECTED
from verify.recorder.model import build_model
from verify.recorder.telling import Broken

SANITY_FIELDS = {
    "vocab_size": 11,
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 12,
    "hidden_act": "gelu",
}
SANITY_IDS = [[0, 4, 5, 6, 2], [0, 7, 2, 1, 1]]
#: Given, because releases of PaddleNLP differ in what they do without.
SANITY_MASK = [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]
#: Largest absolute difference. All numbers are between -4 and 4; float32 keeps 7 digits, float64 16, and what two
#: sound installations differ by is a tenth of these at most.
SANITY_LIMITS = {"float64": 1e-12, "float32": 2e-5}


def sanity_values(name: str, shape: Any) -> Any:
    """The weights of a parameter, from its name alone: whole numbers (Park and Miller's generator), scaled by powers
    of two, so that they are the same to the last bit in every release of Python and numpy."""
    state = 1
    for letter in name:
        state = (state * 131 + ord(letter)) % 2147483647
    drawn = []
    for _ in range(int(np.prod(shape))):
        state = state * 48271 % 2147483647
        drawn.append((state >> 15) / 32768.0 - 1.0)
    values = np.array(drawn, np.float64).reshape(shape)
    if "norm" in name and name.endswith(".weight"):
        return 1.25 + values / 4
    if name.endswith(".bias"):
        return values / 4
    return values if "embeddings" in name else values / 2


def check_sanity(precision: str) -> Any:
    """Raise Broken unless Paddle, twice, gives the shipped numbers. Returns whose rule it follows without a mask."""
    import paddle
    import paddlenlp

    report_progress("checking Paddle with a model whose numbers are known")
    where = f"Paddle {paddle.__version__} and PaddleNLP {paddlenlp.__version__}"
    try:
        model = build_model("ErnieMModel", dict(SANITY_FIELDS), precision)
        for name, parameter in model.state_dict().items():
            parameter.set_value(sanity_values(name, parameter.shape).astype(precision))
        first, second = run_sanity(model), run_sanity(model)
    except (ImportError, MemoryError):
        raise
    except Exception as error:
        raise Broken(f"{where} cannot run a tiny model: {type(error).__name__}: {error}") from error
    limit = SANITY_LIMITS[precision]
    for site, shipped in EXPECTED.items():
        found, wanted = first[site], np.array(shipped, np.float64)
        if found.size != wanted.size:
            raise Broken(f"{where} give {found.size} numbers for {site} of a tiny model, expected {wanted.size}")
        if not np.isfinite(found).all():
            raise Broken(f"{where} give numbers that are not finite for {site} of a tiny model")
        if not np.array_equal(found, second[site]):
            raise Broken(f"{where} give other numbers each time for {site} of a tiny model")
        worst = np.abs(found.astype(np.float64).reshape(-1) - wanted).max()
        if worst > limit:
            raise Broken(
                f"{where} compute {site} of a tiny model wrongly in {precision}: the difference from the shipped "
                f"numbers is {worst:.1e}, allowed {limit:.0e}"
            )
    return own_behavior(model)


def run_sanity(model: Any) -> Any:
    """Site -> numbers, in the order of the network."""
    import paddle

    ids, mask = paddle.to_tensor(np.array(SANITY_IDS, np.int64)), paddle.to_tensor(np.array(SANITY_MASK, np.int64))
    with paddle.no_grad():
        embedded = model.embeddings(ids)
        last, pooled = model(ids, attention_mask=mask)[:2]
    return {"embeddings": embedded.numpy(), "last_hidden_state": last.numpy(), "pooler_output": pooled.numpy()}
