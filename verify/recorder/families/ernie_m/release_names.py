"""Names of the 2021 release, put into PaddleNLP's: written from the two programs' sources.

The converter has these names in mappings/ernie_m. They are stated again, so that a wrong one cannot agree with itself.
"""

from __future__ import annotations

import re
from typing import Any

RELEASE_NAMES = {
    "word_embedding": "embeddings.word_embeddings.weight",
    "pos_embedding": "embeddings.position_embeddings.weight",
    "pre_encoder_layer_norm_scale": "embeddings.layer_norm.weight",
    "pre_encoder_layer_norm_bias": "embeddings.layer_norm.bias",
    "pooled_fc.w_0": "pooler.dense.weight",
    "pooled_fc.b_0": "pooler.dense.bias",
}
#: The head of pre-training, which any file may have and one class takes.
RELEASE_MASKED_LM = {
    "mask_lm_trans_fc.w_0": "lm_head.dense.weight",
    "mask_lm_trans_fc.b_0": "lm_head.dense.bias",
    "mask_lm_trans_layer_norm_scale": "lm_head.layer_norm.weight",
    "mask_lm_trans_layer_norm_bias": "lm_head.layer_norm.bias",
    "mask_lm_out_fc.b_0": "lm_head.bias",
}
RELEASE_HEADS = ("cls_out", "cls_mrc_out", "cls_seq_label_out")
#: The head of each class; a model without one has none.
RELEASE_CLASSES = {
    "ErnieMForSequenceClassification": "cls_out",
    "ErnieMForQuestionAnswering": "cls_mrc_out",
    "ErnieMForTokenClassification": "cls_seq_label_out",
}
#: The bias of ERNIEKit's classifier, which has the release's names else.
ERNIEKIT_HEAD = "cls.b_0"
RELEASE_PARTS = {
    "multi_head_att_query_fc": "self_attn.q_proj",
    "multi_head_att_key_fc": "self_attn.k_proj",
    "multi_head_att_value_fc": "self_attn.v_proj",
    "multi_head_att_output_fc": "self_attn.out_proj",
    "post_att_layer_norm": "norm1",
    "ffn_fc_0": "linear1",
    "ffn_fc_1": "linear2",
    "post_ffn_layer_norm": "norm2",
}
RELEASE_KINDS = {".w_0": ".weight", ".b_0": ".bias", "_scale": ".weight", "_bias": ".bias"}
RELEASE_LAYER = re.compile(r"encoder_layer_(0|[1-9]\d*)_(.+?)(\.w_0|\.b_0|_scale|_bias)")


def release_to_paddlenlp(name: str) -> str | None:
    """PaddleNLP's name of a variable of the release, without the head's prefix; None for another variable."""
    if name in RELEASE_NAMES:
        return RELEASE_NAMES[name]
    for head in RELEASE_HEADS:
        if name in (head + "_w", head + "_b"):
            return "classifier." + ("weight" if name.endswith("_w") else "bias")
    if name in ("cls.w_0", ERNIEKIT_HEAD):
        return "classifier." + ("bias" if name == ERNIEKIT_HEAD else "weight")
    match = RELEASE_LAYER.fullmatch(name)
    if not match or match.group(2) not in RELEASE_PARTS:
        return None
    return f"encoder.layers.{match.group(1)}.{RELEASE_PARTS[match.group(2)]}{RELEASE_KINDS[match.group(3)]}"


def fields_from_weights(weights: Any) -> dict[str, Any]:
    """Config fields that the release's names and shapes reveal: the class, and the number of labels. Else nothing."""
    if not is_release(weights):
        return {}
    classes = ("SequenceClassification", "QuestionAnswering", "TokenClassification", "SequenceClassification")
    for bias, name in zip([*(head + "_b" for head in RELEASE_HEADS), ERNIEKIT_HEAD], classes):
        if bias in weights:
            return {"architecture": "ErnieMFor" + name, "num_labels": int(weights[bias].shape[0])}
    return {"architecture": "ErnieMModel"}


def is_release(weights: Any) -> bool:
    """Whether these are the release's names."""
    return "word_embedding" in weights


def name_release(weights: Any, parameters: Any) -> tuple[dict[str, Any], list[str]]:
    """The release's variables under PaddleNLP's names, and notes. Empties `weights`."""
    prefix = "ernie_m." if any(name.startswith("ernie_m.") for name in parameters) else ""
    # Training in half precision kept the float32 weights next to them.
    masters = [name for name in weights if name + ".master" in weights]
    for name in masters:
        del weights[name]
    heads = RELEASE_MASKED_LM if "lm_head.bias" in parameters else {}
    named = {}
    for name in list(weights):
        bare = name[: -len(".master")] if name.endswith(".master") else name
        target = heads.get(bare) or release_to_paddlenlp(bare)
        if target is not None and not target.startswith(("classifier.", "lm_head.")):
            target = prefix + target
        named[target or name] = weights.pop(name)
    notes = ["the 2021 release's variables under PaddleNLP's names, in PaddleNLP's class"]
    if masters:
        notes.append(f"the float32 copy was taken of {len(masters)} weights that are there in half precision too")
    return named, notes


def fits_release(weights: Any) -> bool:
    """Whether each array has the shape that its name asks for, given the hidden size of the words."""
    words = weights["word_embedding"]
    hidden = words.shape[-1]
    for name, array in weights.items():
        if name in ("word_embedding", "pos_embedding") or name.startswith("cls_"):
            right = array.shape[-1] == hidden if name.endswith("embedding") else array.ndim == 1 + name.endswith("_w")
            right = right and (not name.endswith("_w") or array.shape[0] == hidden)
        else:
            first, last = (4 if "ffn_fc_1.w" in name else 1), (4 if "ffn_fc_0" in name else 1)
            shape = (first * hidden, last * hidden) if name.endswith(".w_0") else (last * hidden,)
            right = array.shape == shape
        if not right:
            return False
    return True


def release_lists(layers: int, architecture: str | None) -> list[list[str]]:
    """The variables that a program of the release may have with the head of this class, or none for None: with and
    without a pooler, each list in the order of its file."""
    head = RELEASE_CLASSES.get(architecture or "")
    body = [name for name in RELEASE_NAMES if not name.startswith("pooled_fc")]
    for number in range(layers):
        for part in RELEASE_PARTS:
            kinds = [kind for kind in RELEASE_KINDS if kind.startswith("_") == part.endswith("norm")]
            body += [f"encoder_layer_{number}_{part}{kind}" for kind in kinds]
    pooler = ["pooled_fc.w_0", "pooled_fc.b_0"]
    last = [head + "_w", head + "_b"] if head else []
    lists = [body + pooler + last, body + last]
    return [sorted(names) for names in lists]
