"""What is hidden when no mask is given, and where positions begin: rules that differ between releases and toolkits, so
that they are asked for by name."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from verify.recorder.config import ERNIEKIT_CONFIG
from verify.recorder.official import ERNIEKIT_HEAD
from verify.recorder.port import is_port

#: The id that is hidden. PaddleNLP 2.5.1 alone hid [PAD]; the 2021 release fed a mask that shows [CLS]. transformers'
#: port, whose behavior is named "transformers", hides its config's pad_token_id.
HIDDEN_IDS = {"paddlenlp": 0, "release": 1}
#: PaddleNLP's rule with padding hidden as well, so that a padded text gives what it gives alone.
UNPADDED = "paddlenlp-unpadded"
BEHAVIORS = (*HIDDEN_IDS, UNPADDED, "transformers", "erniekit")
#: What PaddleNLP's class adds to every position.
PADDLENLP_OFFSET = 2


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
    if is_erniekit(request, weights):
        return "erniekit"
    of_release = "word_embedding" in weights or (
        request.get("tokenizer") and os.path.isfile(os.path.join(request["tokenizer"], "piece.model"))
    )
    return "release" if of_release else "paddlenlp"


def is_erniekit(request: Any, weights: Any) -> bool:
    """Whether ERNIEKit wrote a checkpoint: by the names of its config, of its head or of its table of variables."""
    config = os.path.basename(request.get("config") or "")
    return bool(ERNIEKIT_CONFIG.fullmatch(config) or request.get("by_table") or ERNIEKIT_HEAD in weights)


def behavior_of_source(request: Any, weights: Any, how: str) -> str:
    """Whose rules the release that wrote a checkpoint has: by the names of its weights, and by the release's own files
    next to them. `how`: where its config was found. `verify`, which has read more of it, states it in the request."""
    if request.get("source_behavior"):
        return str(request["source_behavior"])
    if is_port(weights):
        return "transformers"
    if is_erniekit(request, weights):
        return "erniekit"
    source = os.path.abspath(request["source"])
    folder = source if os.path.isdir(source) else os.path.dirname(source)
    of_release = "word_embedding" in weights or how.startswith("ernie_config.json")
    return "release" if of_release or os.path.isfile(os.path.join(folder, "piece.model")) else "paddlenlp"


def follow(model: Any, behavior: str, own: Any) -> Any:
    """Let calls without a mask hide what `behavior` hides, given what this PaddleNLP does by itself. Returns notes."""
    if behavior == own:
        return []
    if behavior == "transformers":
        return follow_port(model)
    if behavior == "erniekit":
        return follow_erniekit(model)
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


def follow_erniekit(model: Any) -> Any:
    """ERNIEKit's rules (PaddlePaddle/ERNIE, branch ernie-kit-open-v1.0, erniekit/modules/ernie.py). Returns notes.

    Its classifier gives no positions, which then count from row 0, and no mask, which then is the outer product of
    `ids != 0`."""
    import paddle

    backbone = getattr(model, "ernie_m", model)
    precision = paddle.get_default_dtype()
    inner, embed = backbone.forward, backbone.embeddings.forward

    def run(*inputs: Any, **options: Any) -> Any:
        ids = inputs[0] if inputs else options.get("input_ids")
        if ids is not None and len(inputs) < 3 and options.get("attention_mask") is None:
            shown = (ids != 0).astype(precision)
            shown = shown.unsqueeze([1, 3]) * shown.unsqueeze([1, 2])
            # A 4-D float mask is added as it is.
            options["attention_mask"] = (1.0 - shown) * paddle.to_tensor(np.array(-10000.0, precision))
        return inner(*inputs, **options)

    def place(input_ids: Any = None, position_ids: Any = None, **options: Any) -> Any:
        if position_ids is None:
            given = input_ids if input_ids is not None else options["inputs_embeds"]
            position_ids = paddle.arange(given.shape[1], dtype="int64").unsqueeze(0)
        # PaddleNLP adds its offset in place.
        return embed(input_ids, position_ids=position_ids - PADDLENLP_OFFSET, **options)

    object.__setattr__(backbone, "forward", run)
    object.__setattr__(backbone.embeddings, "forward", place)
    return [
        "ERNIEKit's rules in PaddleNLP's class: positions count from row 0, and calls without a mask have the outer "
        "product of `ids != 0`, which lets the row of id 0 see every key"
    ]


def offset_of(behavior: str) -> int:
    """The row of the first position."""
    return 0 if behavior == "erniekit" else PADDLENLP_OFFSET


def sees_all(case: Any, behavior: str) -> bool:
    """Whether a row of this case has every key hidden, and so sees them all: numbers then have the rounding of -1e4."""
    given = case["inputs"]
    return behavior == "erniekit" and "attention_mask" not in given and bool(np.any(given.get("input_ids", 1) == 0))
