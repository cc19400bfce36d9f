"""config.json of the output: what `from_pretrained` needs, with every quirk of Paddle's as a named field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from converter.open.config.quirks import Behavior
from converter.plan.make_plan import Plan
from converter.write.new_files import write_file

#: float32(1e-5), which Paddle's LayerNorm uses even in float64 (MODEL.md, quirk 4).
LAYER_NORM_EPS = 9.999999747378752e-06

AUTO_MAP = {
    "AutoConfig": "configuration_ernie_m.ErnieMConfig",
    "AutoModel": "modeling_ernie_m.ErnieMModel",
    "AutoModelForSequenceClassification": "modeling_ernie_m.ErnieMForSequenceClassification",
    "AutoModelForMultipleChoice": "modeling_ernie_m.ErnieMForMultipleChoice",
    "AutoModelForTokenClassification": "modeling_ernie_m.ErnieMForTokenClassification",
    "AutoModelForQuestionAnswering": "modeling_ernie_m.ErnieMForQuestionAnswering",
    "AutoModelForMaskedLM": "modeling_ernie_m.ErnieMHasNoMaskedLM",
}


def build_config(plan: Plan, behavior: Behavior) -> dict[str, Any]:
    """The fields of config.json, in the order in which they are written."""
    source, sizes = plan.config, plan.sizes
    labels = sizes.labels
    config: dict[str, Any] = {
        "architectures": [plan.table.target_class],
        "model_type": "ernie_m",
        "auto_map": auto_map(plan.table.target_class),
        "vocab_size": sizes.vocab_size,
        "hidden_size": sizes.hidden_size,
        "num_hidden_layers": sizes.num_hidden_layers,
        "num_attention_heads": sizes.num_attention_heads,
        "intermediate_size": sizes.intermediate_size,
        "max_position_embeddings": sizes.max_position_embeddings,
        "hidden_act": source.hidden_act,
        "hidden_dropout_prob": source.hidden_dropout_prob,
        "attention_probs_dropout_prob": source.attention_probs_dropout_prob,
        "classifier_dropout": source.classifier_dropout,
        "initializer_range": source.initializer_range,
        "layer_norm_eps": LAYER_NORM_EPS if source.layer_norm_eps is None else source.layer_norm_eps,
        "pad_token_id": source.pad_token_id,
        "position_offset": behavior.position_offset,
        "attention_mask_value": behavior.attention_mask_value,
        "implicit_mask_token_ids": behavior.hidden_ids(source.pad_token_id),
        "dtype": plan.loaded_dtype,
    }
    if behavior.implicit_mask_queries:
        config["implicit_mask_queries"] = True
    if source.act_dropout is not None:
        config["act_dropout"] = source.act_dropout
    if not plan.has_pooler:
        config["add_pooling_layer"] = False
    if source.problem_type is not None:
        config["problem_type"] = source.problem_type
    if labels:
        config["id2label"] = {str(index): label for index, label in enumerate(labels)}
        config["label2id"] = {label: index for index, label in enumerate(labels)}
    return config


def auto_map(target_class: str) -> dict[str, str]:
    """Information extraction has no Auto class of its own: in its folders AutoModel is that class."""
    if target_class == "ErnieMForInformationExtraction":
        return {**AUTO_MAP, "AutoModel": f"modeling_ernie_m.{target_class}"}
    return AUTO_MAP


def write_json(path: Path, data: Any) -> None:
    """Indented, UTF-8, one line feed at the end: the same bytes for the same data on every system."""
    write_file(path, (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode("utf-8"))
