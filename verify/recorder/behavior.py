"""What is hidden when no mask is given: a rule that differs between releases, so that it is asked for by name."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

#: The id that is hidden. PaddleNLP 2.5.1 alone hid [PAD]; the 2021 release fed a mask that shows [CLS].
HIDDEN_IDS = {"paddlenlp": 0, "release": 1}


def own_behavior(backbone: Any) -> Any:
    """Whose rule this release of PaddleNLP follows by itself; None for a third one. Asked of the sanity model, in
    which hiding any key moves every number."""
    import paddle

    ids = paddle.to_tensor(np.array([[0, 3, 1, 2]], np.int64))
    with paddle.no_grad():
        own = backbone(input_ids=ids)[0].numpy()
        for name, hidden in HIDDEN_IDS.items():
            asked = backbone(input_ids=ids, attention_mask=(ids != hidden).astype("int64"))[0].numpy()
            if np.allclose(own, asked, rtol=0, atol=1e-5):
                return name
    return None


def choose_behavior(request: Any, weights: Any) -> str:
    """What the request asks for, else whose rules a checkpoint with these names was trained with."""
    if request.get("behavior"):
        return str(request["behavior"])
    of_release = "word_embedding" in weights or (
        request.get("tokenizer") and os.path.isfile(os.path.join(request["tokenizer"], "piece.model"))
    )
    return "release" if of_release else "paddlenlp"


def follow(model: Any, behavior: str, own: Any) -> Any:
    """Let calls without a mask hide what `behavior` hides, given what this PaddleNLP does by itself. Returns notes."""
    if behavior == own:
        return []
    hidden = HIDDEN_IDS[behavior]
    backbone = getattr(model, "ernie_m", model)
    inner = backbone.forward

    def run(*inputs: Any, **options: Any) -> Any:
        ids = inputs[0] if inputs else options.get("input_ids")
        if ids is not None and len(inputs) < 3 and options.get("attention_mask") is None:
            options["attention_mask"] = (ids != hidden).astype("int64")
        return inner(*inputs, **options)

    object.__setattr__(backbone, "forward", run)
    if behavior == "release":
        return ["calls without a mask were given the 2021 release's, which shows [CLS] and hides [PAD]"]
    return ["calls without a mask were given one that hides id 0, as PaddleNLP's releases but 2.5.1 do"]
