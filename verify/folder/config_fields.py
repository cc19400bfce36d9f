"""Fields that config.json may have besides those that `convert` writes: which of them change what a user gets.

Read from the sources of transformers 4.57.6 and 5.23.0 (configuration_utils.py, modeling_utils.py, pipelines/ and
models/auto/).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Generic:
    """What a field of transformers' own does, and its values that do nothing."""

    effect: str
    harmless: tuple[Any, ...] = (None,)


#: Another name of a field, which the configuration reads where that field is missing or null.
ALIASES = {"dropout": "classifier_dropout", "torch_dtype": "dtype", "num_classes": "num_labels"}

_CALLS = "changes what a call returns"
_TRAINING = "changes how the model is trained"
_LOADING = "changes what is loaded, or how"
_STRUCTURE = "changes what the model is taken for"
_CLASS = "replaces a part of the configuration class"

#: Fields of transformers' own that change a call, training, loading or saving.
CHANGING: dict[str, Generic] = {
    "output_hidden_states": Generic(_CALLS, (None, False)),
    "output_attentions": Generic(_CALLS, (None, False)),
    "return_dict": Generic(_CALLS, (True,)),
    "use_return_dict": Generic(_CALLS, (True,)),
    "torchscript": Generic(_CALLS, (None, False)),
    "chunk_size_feed_forward": Generic(_CALLS, (None, 0)),
    "attn_implementation": Generic(_CALLS),
    "experts_implementation": Generic(_CALLS),
    "function_to_apply": Generic("changes what a pipeline returns"),
    "task_specific_params": Generic("is taken for further fields by a pipeline"),
    "custom_pipelines": Generic("names code that a pipeline runs"),
    "prefix": Generic("is put before each text by a pipeline"),
    "tokenizer_class": Generic("names another tokenizer"),
    "processor_class": Generic("names another tokenizer"),
    "gradient_checkpointing": Generic(_TRAINING, (None, False)),
    "tie_word_embeddings": Generic("asks for tensors that share their values", (None, False)),
    "tie_encoder_decoder": Generic("asks for tensors that share their values", (None, False)),
    "tie_last_hidden_states": Generic("asks for tensors that share their values", (None, False)),
    "is_decoder": Generic(_STRUCTURE, (None, False)),
    "is_causal": Generic(_STRUCTURE, (None, False)),
    "is_encoder_decoder": Generic(_STRUCTURE, (None, False)),
    "add_cross_attention": Generic(_STRUCTURE, (None, False)),
    "cross_attention_hidden_size": Generic(_STRUCTURE),
    "pruned_heads": Generic(_STRUCTURE, (None, {})),
    "quantization_config": Generic(_LOADING),
    "transformers_weights": Generic(_LOADING),
    "extra_files": Generic(_LOADING, (None, [])),
    "extra_config_files": Generic(_LOADING, (None, [])),
    "distributed_config": Generic(_LOADING),
    "device_map": Generic(_LOADING),
    "per_layer_config": Generic(_LOADING),
    "base_model_tp_plan": Generic(_LOADING, (None, {})),
    "base_model_pp_plan": Generic(_LOADING, (None, {})),
    "base_model_ep_plan": Generic(_LOADING, (None, {})),
    "base_model_fsdp_plan": Generic(_LOADING, (None, {})),
    "use_bfloat16": Generic(_LOADING, (None, False)),
    "attribute_map": Generic("renames fields"),
    "sub_configs": Generic(_CLASS),
    "sub_configs_defaults": Generic(_CLASS),
    "keys_to_ignore_at_inference": Generic(_CALLS),
    "base_config_key": Generic(_CLASS),
    "check_values": Generic(_CLASS),
    **{
        name: Generic(_CLASS)
        for name in (
            *("from_dict", "from_json_file", "from_pretrained", "get_config_dict", "get_text_config", "push_to_hub"),
            *(
                "register_for_auto_class",
                "save_pretrained",
                "to_dict",
                "to_diff_dict",
                "to_json_file",
                "to_json_string",
            ),
            *("update", "update_from_string", "validate", "is_custom_code", "is_remote_code", "is_heterogeneous"),
        )
    },
}

#: Fields with a name that begins with _ that decide nothing; any other one is a part of transformers' own state.
PRIVATE_AND_HARMLESS = ("_name_or_path", "_commit_hash", "_comment")
