"""Quirks: which keys are masked when no mask is given, by which number, and where positions begin.

They differ between releases and toolkits. The converter has the same quirks in mappings/ernie_m; they are stated again,
for the recorder reads none of it.
"""

from __future__ import annotations

import os
from typing import Any, Callable

import numpy as np

from verify.protocol.request import Request
from verify.recorder.families.ernie_m.classes import backbone_of
from verify.recorder.families.ernie_m.config import ERNIEKIT_CONFIG
from verify.recorder.families.ernie_m.release_names import ERNIEKIT_HEAD, is_release
from verify.recorder.families.ernie_m.release_tokens import release_ids
from verify.recorder.families.ernie_m.transformers4 import is_port

#: Quirk -> the id that is masked. PaddleNLP 2.5.1 alone masked [PAD]; the 2021 release fed a mask that shows [CLS].
#: transformers' port, whose quirk is named "transformers", masks its config's pad_token_id.
MASKED_IDS = {"paddlenlp": 0, "release": 1}
#: PaddleNLP's rule with padding masked as well, so that a padded text gives what it gives alone.
UNPADDED = "paddlenlp-unpadded"
QUIRKS = (*MASKED_IDS, UNPADDED, "transformers", "erniekit")
#: What PaddleNLP's class adds to every position.
PADDLENLP_OFFSET = 2


def own_quirk(backbone: Any) -> str | None:
    """The quirk of this release of PaddleNLP; None for an unknown one. Asked of the sanity model, in which masking any
    key changes every number."""
    import paddle

    ids = paddle.to_tensor(np.array([[0, 3, 1, 2]], np.int64))
    with paddle.no_grad():
        own = backbone(input_ids=ids)[0].numpy()
        for name, masked in MASKED_IDS.items():
            asked = backbone(input_ids=ids, attention_mask=(ids != masked).astype("int64"))[0].numpy()
            if np.allclose(own, asked, rtol=0, atol=1e-5):
                return name
    return None


def choose_quirk(request: Request, weights: Any) -> str:
    """The one that the request names, else that of the release which gives its weights these names."""
    if request.behavior:
        return request.behavior
    if is_port(weights):
        return "transformers"
    if is_erniekit(request, weights):
        return "erniekit"
    return "release" if is_release(weights) or has_release_tokenizer(request.tokenizer) else "paddlenlp"


def has_release_tokenizer(folder: str | None) -> bool:
    """Whether a folder has the sentencepiece model under the release's name."""
    return folder is not None and os.path.isfile(os.path.join(folder, "piece.model"))


def is_erniekit(request: Request, weights: Any) -> bool:
    """Whether ERNIEKit wrote a checkpoint: by the name of its config or of its head."""
    return bool(ERNIEKIT_CONFIG.fullmatch(os.path.basename(request.config or "")) or ERNIEKIT_HEAD in weights)


def quirk_of_source(request: Request, weights: Any, how: str) -> str:
    """The quirk of the release that wrote a checkpoint: by the names of its weights, and by the release's own files
    next to them. `how`: where its config was found. `verify`, which has read more of SOURCE, states it in the
    request."""
    if request.source_behavior:
        return request.source_behavior
    if is_port(weights):
        return "transformers"
    if is_erniekit(request, weights):
        return "erniekit"
    source = os.path.abspath(request.source)
    folder = source if os.path.isdir(source) else os.path.dirname(source)
    of_release = is_release(weights) or how.startswith("ernie_config.json")
    return "release" if of_release or has_release_tokenizer(folder) else "paddlenlp"


def follow_quirk(model: Any, quirk: str, own: str | None) -> list[str]:
    """Make calls without a mask follow `quirk`, unless this PaddleNLP does so by itself (`own`). Returns notes."""
    if quirk == own:
        return []
    if quirk == "transformers":
        return follow_port(model)
    if quirk == "erniekit":
        return follow_erniekit(model)
    masked = [MASKED_IDS["paddlenlp" if quirk == UNPADDED else quirk]]
    masked += [model.config.pad_token_id] if quirk == UNPADDED else []
    backbone = backbone_of(model)
    inner = backbone.forward

    def run(*inputs: Any, **options: Any) -> Any:
        ids = inputs[0] if inputs else options.get("input_ids")
        if ids is not None and len(inputs) < 3 and options.get("attention_mask") is None:
            shown = ids != masked[0]
            for number in masked[1:]:
                shown = shown & (ids != number)
            options["attention_mask"] = shown.astype("int64")
        return inner(*inputs, **options)

    object.__setattr__(backbone, "forward", run)
    if quirk == UNPADDED:
        return [f"calls without a mask were given one that hides ids {masked[0]} and {masked[1]}: padding too"]
    if quirk == "release":
        return ["calls without a mask were given the 2021 release's, which shows [CLS] and hides [PAD]"]
    return ["calls without a mask were given one that hides id 0, as PaddleNLP's releases but 2.5.1 do"]


def follow_port(model: Any) -> list[str]:
    """The port's rule for 2-D masks and for calls without one: masked keys get the lowest number of the precision, not
    PaddleNLP's -1e4. PaddleNLP's class is given a 4-D float mask, which it adds as it is. Returns notes."""
    import paddle

    backbone, masked = backbone_of(model), model.config.pad_token_id
    precision = paddle.get_default_dtype()
    # As a tensor: operators take Python's numbers as float32 in some releases.
    lowest = paddle.to_tensor(np.array(np.finfo(precision).min, precision))
    inner = backbone.forward

    def run(*inputs: Any, **options: Any) -> Any:
        ids, mask = inputs[0] if inputs else options.get("input_ids"), options.get("attention_mask")
        if mask is None and ids is not None and len(inputs) < 3:
            mask = ids != masked
        if mask is not None and mask.ndim == 2:
            options["attention_mask"] = (1.0 - mask.astype(precision)).unsqueeze([1, 2]) * lowest
        return inner(*inputs, **options)

    object.__setattr__(backbone, "forward", run)
    return [
        f"2-D masks, and calls without one, by the rule of transformers' port: id {masked} is hidden, and what is "
        f"hidden gets the lowest number of {precision}; all other masks by PaddleNLP's, for the port takes none"
    ]


def follow_erniekit(model: Any) -> list[str]:
    """ERNIEKit's rules (PaddlePaddle/ERNIE, branch ernie-kit-open-v1.0, erniekit/modules/ernie.py). Returns notes.

    Its classifier gives no positions, which then count from row 0, and no mask, which then is the outer product of
    `ids != 0`."""
    import paddle

    backbone = backbone_of(model)
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


def first_position_row(quirk: str) -> int:
    """The row of the first position."""
    return 0 if quirk == "erniekit" else PADDLENLP_OFFSET


def mark_masked_rows(cases: list[dict[str, Any]], quirk: str) -> list[dict[str, Any]]:
    """The cases, with `zero_row` where a query has all its keys masked by -1e4, which then cancels but for rounding.

    The lowest number of a dtype leaves nothing of a score: under the port's rule both sides have zeros there.
    """
    if quirk == "transformers":
        return [{key: case[key] for key in case if key != "zero_row"} for case in cases]
    return [dict(case, zero_row=True) if has_masked_row(case, quirk) else case for case in cases]


def has_masked_row(case: dict[str, Any], quirk: str) -> bool:
    """Whether the implicit mask masks every key of a query: ERNIEKit's does, for id 0."""
    inputs = case["inputs"]
    return quirk == "erniekit" and "attention_mask" not in inputs and bool(np.any(inputs.get("input_ids", 1) == 0))


def program_follows(quirk: str) -> bool:
    """Whether exported programs have the model's numbers: ERNIEKit's give probabilities, by other rules."""
    return quirk != "erniekit"


def token_rule(quirk: str) -> Callable[[str, Any], Any] | None:
    """The release's own rule for tokens; None where PaddleNLP's tokenizer applies."""
    return release_ids if quirk in ("release", "erniekit") else None
