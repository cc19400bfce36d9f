"""Layer-wise decay of the learning rate, as Baidu's two programs have it.

Encoder layer i of n has the learning rate times decay ** (n - i), embeddings times decay ** (n + 1), pooler and head
the learning rate itself. They differ in one module: the norm at the end of the embeddings is decayed in PaddleNLP,
whose rule takes every name with "embedding" (`paddlenlp/ops/optimizer/adamwdl.py`), and not in Baidu's own scripts,
where it is called `pre_encoder_layer_norm` (PaddlePaddle/ERNIE, branch repro, `ernie-m/`). Biases and norms have no
weight decay.
"""

from __future__ import annotations

import re
from typing import Any

from torch import nn

BAIDU, PADDLENLP = "baidu", "paddlenlp"
VARIANTS = (BAIDU, PADDLENLP)
_LAYER = re.compile(r"(?:^|\.)encoder\.layers?\.(\d+)\.")
_EMBEDDINGS = re.compile(r"(?:^|\.)embeddings\.")


def ratio_of(name: str, layers: int, decay: float, variant: str, is_norm: bool) -> float:
    """What the learning rate of a parameter is multiplied by."""
    layer = _LAYER.search(name)
    if layer is not None:
        return decay ** (layers - int(layer[1]))
    if _EMBEDDINGS.search(name) is None or (variant == BAIDU and is_norm):
        return 1.0
    return decay ** (layers + 1)


def parameter_groups(
    model: nn.Module, layers: int, learning_rate: float, decay: float, weight_decay: float, variant: str
) -> list[dict[str, Any]]:
    """Groups for torch's optimizers, by the learning rate (the largest first, which the Trainer logs) and weight decay.
    Raises ValueError where no name is that of an encoder layer or of embeddings."""
    norms = {id(one) for module in model.modules() if isinstance(module, nn.LayerNorm) for one in module.parameters()}
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    ratios = set()
    for name, parameter in model.named_parameters():
        is_norm = id(parameter) in norms
        ratio = ratio_of(name, layers, decay, variant, is_norm)
        plain = is_norm or name.endswith("bias")
        groups.setdefault((ratio, 0.0 if plain else weight_decay), []).append(parameter)
        ratios.add(ratio)
    if decay != 1 and len(ratios) != layers + 2:
        raise ValueError(
            f"of {layers} layers, embeddings and a head some have no parameters: these names are not known"
        )
    return [
        {"params": parameters, "lr": learning_rate * ratio, "weight_decay": own}
        for (ratio, own), parameters in sorted(groups.items(), key=lambda group: (-group[0][0], group[0][1]))
    ]
