"""PaddleNLP's keys of an ERNIE as Baidu's own releases named them. Read by the reference interpreter too."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

#: Of the classes, what the fluid programs call the classifier.
CLASSIFIERS = {
    "ErnieForSequenceClassification": "cls_out",
    "ErnieForQuestionAnswering": "cls_mrc_out",
    "ErnieForTokenClassification": "cls_seq_label_out",
}
_PARTS = {"weight": "w_0", "bias": "b_0"}
_SCALES = {"weight": "scale", "bias": "bias"}
_LETTERS = {"weight": "w", "bias": "b"}
_FLUID_TABLES = {"word": "word_embedding", "position": "pos_embedding", "token_type": "sent_embedding"}
_FLUID_TABLES["task_type"] = "task_embedding"
_FLUID_PROJECTIONS = {"q": "query", "k": "key", "v": "value", "out": "output"}
_FLUID = (
    (r"embeddings\.(\w+)_embeddings\.weight", lambda m: _FLUID_TABLES[m[1]]),
    (r"embeddings\.layer_norm\.(\w+)", lambda m: f"pre_encoder_layer_norm_{_SCALES[m[1]]}"),
    (
        r"encoder\.layers\.(\d+)\.self_attn\.(\w+)_proj\.(\w+)",
        lambda m: f"encoder_layer_{m[1]}_multi_head_att_{_FLUID_PROJECTIONS[m[2]]}_fc.{_PARTS[m[3]]}",
    ),
    (
        r"encoder\.layers\.(\d+)\.linear(\d)\.(\w+)",
        lambda m: f"encoder_layer_{m[1]}_ffn_fc_{int(m[2]) - 1}.{_PARTS[m[3]]}",
    ),
    (
        r"encoder\.layers\.(\d+)\.norm(\d)\.(\w+)",
        lambda m: f"encoder_layer_{m[1]}_post_{'att' if m[2] == '1' else 'ffn'}_layer_norm_{_SCALES[m[3]]}",
    ),
    (r"pooler\.dense\.(\w+)", lambda m: f"pooled_fc.{_PARTS[m[1]]}"),
    (r"cls\.predictions\.transform\.(\w+)", lambda m: f"mask_lm_trans_fc.{_PARTS[m[1]]}"),
    (r"cls\.predictions\.layer_norm\.(weight|bias)", lambda m: f"mask_lm_trans_layer_norm_{_SCALES[m[1]]}"),
    (r"cls\.predictions\.decoder\.bias", lambda m: "mask_lm_out_fc.b_0"),
    (r"cls\.seq_relationship\.(\w+)", lambda m: f"next_sent_fc.{_PARTS[m[1]]}"),
)
_DYGRAPH = (
    (r"embeddings\.word_embeddings", "word_emb"),
    (r"embeddings\.position_embeddings", "pos_emb"),
    (r"embeddings\.token_type_embeddings", "sent_emb"),
    (r"embeddings\.layer_norm", "ln"),
    (r"encoder\.layers\.(\d+)\.self_attn\.([qkv])_proj", r"encoder_stack.block.\1.attn.\2"),
    (r"encoder\.layers\.(\d+)\.self_attn\.out_proj", r"encoder_stack.block.\1.attn.o"),
    (r"encoder\.layers\.(\d+)\.linear1", r"encoder_stack.block.\1.ffn.i"),
    (r"encoder\.layers\.(\d+)\.linear2", r"encoder_stack.block.\1.ffn.o"),
    (r"encoder\.layers\.(\d+)\.norm([12])", r"encoder_stack.block.\1.ln\2"),
    (r"pooler\.dense", "pooler"),
    (r"cls\.predictions\.transform", "mlm"),
    (r"cls\.predictions\.layer_norm", "mlm_ln"),
    (r"cls\.predictions\.decoder\.bias", "mlm_bias"),
    (r"cls\.seq_relationship", "pooler_heads.0.nsp"),
)
#: Tied to another tensor, or a copy of one.
_COPIES = ("cls.predictions.decoder.weight", "cls.predictions.decoder_weight", "cls.predictions.decoder_bias")
_COPIES += ("cls.predictions.layer_norm.scale",)


def fluid_names(state: Mapping[str, Any], source_class: str = "") -> dict[str, Any]:
    """PaddleNLP's state dict under the variables' names of the fluid release."""
    named = {}
    for key, array in _bare(state).items():
        found = next(((m, form) for pattern, form in _FLUID for m in [re.fullmatch(pattern, key)] if m), None)
        if found is not None:
            named[found[1](found[0])] = array
        else:
            head, _, part = key.rpartition(".")
            assert head == "classifier", key
            named[f"{CLASSIFIERS[source_class]}_{_LETTERS[part]}"] = array
    return named


def dygraph_names(state: Mapping[str, Any]) -> dict[str, Any]:
    """PaddleNLP's state dict under the keys of the dygraph release, which has no task types."""
    named = {}
    for key, array in _bare(state).items():
        for pattern, form in _DYGRAPH:
            key, found = re.subn(f"^{pattern}", form, key)
            if found:
                break
        named[key] = array
    return named


def _bare(state: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: array for key, array in state.items() if key not in _COPIES}
    return {re.sub(r"^(ernie|ernie_gram|skep)\.", "", key): array for key, array in kept.items()}
