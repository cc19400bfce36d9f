"""An epsilon that Paddle's own kernel would round to float32."""

from __future__ import annotations

from typing import Any

import numpy as np


def follow_epsilon(model: Any, epsilon: float, precision: str) -> None:
    """Let every LayerNorm add this very epsilon, in the precision of the model."""
    import paddle

    # As a tensor: operators take Python's numbers as float32 in some releases.
    added = paddle.to_tensor(np.array(epsilon, precision))

    def follow_norm(norm: Any) -> None:
        def run(states: Any) -> Any:
            centred = states - states.mean(-1, keepdim=True)
            variance = (centred * centred).mean(-1, keepdim=True)
            return centred / paddle.sqrt(variance + added) * norm.weight + norm.bias

        object.__setattr__(norm, "forward", run)
        object.__setattr__(norm, "exact_epsilon", epsilon)

    for part in model.sublayers():
        if type(part).__name__ == "LayerNorm":
            follow_norm(part)
