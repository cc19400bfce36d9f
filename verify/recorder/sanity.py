"""Whether this Paddle computes correctly: a tiny model, run twice, must give the numbers that are shipped.

Installations are known that give empty, constant or random numbers (PaddleNLP issues 6280, 6884, 7465).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from verify.protocol.messages import report_progress
from verify.recorder.errors import Broken
from verify.recorder.families.family import Family, SanityModel
from verify.recorder.import_paddlenlp import import_paddlenlp
from verify.recorder.model.build import build_model

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


def check_sanity(family: Family, precision: str) -> str | None:
    """Raise Broken unless Paddle, twice, gives the shipped numbers. Returns the quirk that it has by itself."""
    import paddle

    paddlenlp = import_paddlenlp()
    report_progress("checking Paddle with a model of known numbers")
    where = f"Paddle {paddle.__version__} and PaddleNLP {paddlenlp.__version__}"
    sanity = family.sanity
    try:
        model = build_model(family, sanity.architecture, dict(sanity.fields), precision)
        for name, parameter in model.state_dict().items():
            parameter.set_value(sanity_values(name, parameter.shape).astype(precision))
        first, second = run_sanity(model, sanity), run_sanity(model, sanity)
    except (ImportError, MemoryError):
        raise
    except Exception as error:
        raise Broken(f"{where} cannot run a tiny model: {type(error).__name__}: {error}") from error
    limit = SANITY_LIMITS[precision]
    for site, shipped in sanity.expected().items():
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
    return family.own_quirk(model)


def run_sanity(model: Any, sanity: SanityModel) -> dict[str, Any]:
    """Output -> numbers, in the order of the network."""
    import paddle

    ids = paddle.to_tensor(np.array(sanity.ids, np.int64))
    mask = paddle.to_tensor(np.array(sanity.mask, np.int64))
    types = dict((name, paddle.to_tensor(np.array(rows, np.int64))) for name, rows in sanity.types.items())
    with paddle.no_grad():
        embedded = model.embeddings(ids, **types)
        output = model(ids, attention_mask=mask, **types)
    states = (output,) if isinstance(output, paddle.Tensor) else output  # Without a pooler it is the tensor alone.
    named = zip(("last_hidden_state", "pooler_output"), states)
    return {"embeddings": embedded.numpy(), **dict((name, value.numpy()) for name, value in named)}
