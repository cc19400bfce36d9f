"""What is hidden when no mask is given: a rule that differs between releases, so that it is asked for by name."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from verify.recorder.port import is_port

#: The id that is hidden. PaddleNLP 2.5.1 alone hid [PAD]; the 2021 release fed a mask that shows [CLS]. transformers'
#: port, whose behavior is named "transformers", hides its config's pad_token_id.
HIDDEN_IDS = {"paddlenlp": 0, "release": 1}
#: PaddleNLP's rule with padding hidden as well, so that a padded text gives what it gives alone.
UNPADDED = "paddlenlp-unpadded"
BEHAVIORS = (*HIDDEN_IDS, UNPADDED, "transformers")


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
    if is_port(weights):
        return "transformers"
    of_release = "word_embedding" in weights or (
        request.get("tokenizer") and os.path.isfile(os.path.join(request["tokenizer"], "piece.model"))
    )
    return "release" if of_release else "paddlenlp"


def follow(model: Any, behavior: str, own: Any) -> Any:
    """Let calls without a mask hide what `behavior` hides, given what this PaddleNLP does by itself. Returns notes."""
    if behavior == own:
        return []
    if behavior == "transformers":
        return follow_port(model)
    ids_hidden = [HIDDEN_IDS["paddlenlp" if behavior == UNPADDED else behavior]]
    ids_hidden += [model.config.pad_token_id] if behavior == UNPADDED else []
    backbone = getattr(model, "ernie_m", model)
    inner = backbone.forward

    def run(*inputs: Any, **options: Any) -> Any:
        ids = inputs[0] if inputs else options.get("input_ids")
        if ids is not None and len(inputs) < 3 and options.get("attention_mask") is None:
            shown = ids != ids_hidden[0]
            for hidden in ids_hidden[1:]:
                shown = shown & (ids != hidden)
            options["attention_mask"] = shown.astype("int64")
        return inner(*inputs, **options)

    object.__setattr__(backbone, "forward", run)
    if behavior == UNPADDED:
        return [f"calls without a mask were given one that hides ids {ids_hidden[0]} and {ids_hidden[1]}: padding too"]
    if behavior == "release":
        return ["calls without a mask were given the 2021 release's, which shows [CLS] and hides [PAD]"]
    return ["calls without a mask were given one that hides id 0, as PaddleNLP's releases but 2.5.1 do"]


def follow_port(model: Any) -> Any:
    """The port's rule for 2-D masks and for calls without one: hidden keys get the lowest number of the precision, not
    PaddleNLP's -1e4. It goes into PaddleNLP's class as a 4-D float mask, which that adds as it is. Returns notes."""
    import paddle

    backbone, hidden = getattr(model, "ernie_m", model), model.config.pad_token_id
    precision = paddle.get_default_dtype()
    # As a tensor: operators take Python's numbers as float32 in some releases.
    lowest = paddle.to_tensor(np.array(np.finfo(precision).min, precision))
    inner = backbone.forward

    def run(*inputs: Any, **options: Any) -> Any:
        ids, mask = inputs[0] if inputs else options.get("input_ids"), options.get("attention_mask")
        if mask is None and ids is not None and len(inputs) < 3:
            mask = ids != hidden
        if mask is not None and mask.ndim == 2:
            options["attention_mask"] = (1.0 - mask.astype(precision)).unsqueeze([1, 2]) * lowest
        return inner(*inputs, **options)

    object.__setattr__(backbone, "forward", run)
    return [
        f"2-D masks, and calls without one, by the rule of transformers' port: id {hidden} is hidden, and what is "
        f"hidden gets the lowest number of {precision}; all other masks by PaddleNLP's, for the port takes none"
    ]
