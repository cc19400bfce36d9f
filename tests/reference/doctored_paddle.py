"""Damage Paddle in one way after another and write down what the recorder's sanity check says to each.

    python doctored_paddle.py RECORDER RESULT

RECORDER is the archive that `paddle2torch reference script` writes. RESULT gets {damage: what was said, "" when
nothing was found wrong}."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np


@contextmanager
def replaced(owner: Any, name: str, value: Any) -> Any:
    kept = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, kept)


def damages() -> dict[str, tuple[Any, str, Any]]:
    """name -> the attribute that is replaced, and by what."""
    import paddle
    import paddle.nn.functional as F

    softmax, linear, embedding = F.softmax, F.linear, paddle.nn.Embedding.forward
    gelu, norm, tanh = F.gelu, paddle.nn.LayerNorm.forward, paddle.nn.Tanh.forward
    numpy = paddle.Tensor.numpy
    random = np.random.default_rng(1)

    def drifting(tensor: Any, *rest: Any) -> Any:
        """Another number in the last place that counts, now and then."""
        found = numpy(tensor, *rest)
        return found + random.integers(0, 2) * 1e-14 if found.dtype == np.float64 else found

    def narrow(x: Any, weight: Any, bias: Any = None, name: Any = None) -> Any:
        """float64 that was computed in float32."""
        return linear(x.astype("float32"), weight.astype("float32"), bias.astype("float32")).astype(x.dtype)

    def wide_epsilon(layer: Any, x: Any) -> Any:
        layer._epsilon = 1.1e-5
        return norm(layer, x)

    return {
        "softmax is uniform": (F, "softmax", lambda x, *a, **k: paddle.ones_like(x) / x.shape[-1]),
        "softmax over another axis": (F, "softmax", lambda x, *a, **k: softmax(x, axis=-2)),
        "linear gives zeros": (F, "linear", lambda **given: linear(**given) * 0),
        "linear without bias": (F, "linear", lambda **given: linear(given["x"], given["weight"])),
        "linear in float32": (F, "linear", narrow),
        "linear gives nan": (F, "linear", lambda **given: linear(**given) * float("nan")),
        "gelu by tanh": (F, "gelu", lambda x, *a, **k: gelu(x, True)),
        "epsilon": (paddle.nn.LayerNorm, "forward", wide_epsilon),
        "embedding of the next row": (paddle.nn.Embedding, "forward", lambda layer, x: embedding(layer, x + 1)),
        "tanh left out": (paddle.nn.Tanh, "forward", lambda layer, x: x),
        "nothing comes back": (paddle.Tensor, "numpy", lambda tensor, *rest: np.zeros((0,), np.float64)),
        "other numbers each time": (paddle.Tensor, "numpy", drifting),
        "an error": (paddle.nn.Tanh, "forward", lambda layer, x: tanh(layer, x.no_such_thing)),
    }


def main() -> None:
    sys.path.insert(0, sys.argv[1])
    from verify.recorder.errors import Broken
    from verify.recorder.families import FAMILIES
    from verify.recorder.sanity import check_sanity

    def ask(precision: str = "float64") -> str:
        try:
            check_sanity(FAMILIES[0], precision)
        except Broken as error:
            return str(error)
        return ""

    found = {"sound, float64": ask(), "sound, float32": ask("float32")}
    for name, (owner, attribute, value) in damages().items():
        with replaced(owner, attribute, value):
            found[name] = ask()
    found["sound again"] = ask()
    Path(sys.argv[2]).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
