"""The configuration: Paddle's quirks as fields, invalid values refused, the port's files as they are."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import AutoConfig

from ernie_m import ErnieMConfig, ErnieMModel

# What transformers 4.57's port writes (config.json of a fine-tuned model; its fields only).
PORT = {
    "act_dropout": 0.0,
    "architectures": ["ErnieMForSequenceClassification"],
    "attention_probs_dropout_prob": 0.1,
    "classifier_dropout": None,
    "dtype": "float32",
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "hidden_size": 16,
    "id2label": {"0": "no", "1": "perhaps", "2": "yes"},
    "initializer_range": 0.02,
    "intermediate_size": 24,
    "label2id": {"no": 0, "perhaps": 1, "yes": 2},
    "layer_norm_eps": 1e-05,
    "max_position_embeddings": 514,
    "model_type": "ernie_m",
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "pad_token_id": 1,
    "transformers_version": "4.57.6",
    "vocab_size": 60,
}


def test_the_defaults_are_paddles() -> None:
    config = ErnieMConfig()
    assert (config.vocab_size, config.max_position_embeddings, config.pad_token_id) == (250002, 514, 1)
    assert (config.hidden_size, config.num_hidden_layers, config.num_attention_heads) == (768, 12, 12)
    assert (config.implicit_mask_token_ids, config.position_offset, config.attention_mask_value) == ([0], 2, -10000.0)
    assert config.implicit_mask_queries is False
    assert config.layer_norm_eps == 9.999999747378752e-06 == float(np.float32(1e-5))
    assert config.model_type == "ernie_m" and config.add_pooling_layer


def test_the_feed_forward_is_four_times_as_wide_unless_given() -> None:
    assert ErnieMConfig(hidden_size=1024, num_attention_heads=16).intermediate_size == 4096
    assert ErnieMConfig(intermediate_size=24).intermediate_size == 24


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"vocab_size": 0}, "vocab_size is 0, expected a whole number, 1 or more"),
    ({"num_hidden_layers": 2.0}, "num_hidden_layers is 2.0"),
    ({"hidden_size": True}, "hidden_size is True"),
    ({"max_position_embeddings": -1}, "max_position_embeddings is -1"),
    ({"num_attention_heads": 7}, "num_attention_heads is 7, expected a divisor of hidden_size, which is 768"),
    ({"hidden_act": "gelu_new"}, "hidden_act is 'gelu_new', expected one of gelu, relu"),
    ({"hidden_act": None}, "hidden_act is None"),
    ({"hidden_dropout_prob": 1.5}, "hidden_dropout_prob is 1.5, expected a probability"),
    ({"attention_probs_dropout_prob": None}, "attention_probs_dropout_prob is None"),
    ({"classifier_dropout": "0.1"}, "classifier_dropout is '0.1', expected None or a probability"),
    ({"act_dropout": math.nan}, "act_dropout is nan"),
    ({"initializer_range": -0.1}, "initializer_range is -0.1"),
    ({"layer_norm_eps": "1e-5"}, "layer_norm_eps is '1e-5'"),
    ({"pad_token_id": 250002}, "pad_token_id is 250002, expected None or an id below vocab_size, which is 250002"),
    ({"implicit_mask_token_ids": 0}, r"implicit_mask_token_ids is 0, expected a list of token ids such as \[0\]"),
    ({"implicit_mask_token_ids": [0, -1]}, r"implicit_mask_token_ids is \[0, -1\]"),
    ({"implicit_mask_queries": 1}, "implicit_mask_queries is 1, expected True or False"),
    ({"position_offset": 514}, "position_offset is 514, expected a whole number from 0 to .* 513"),
    ({"attention_mask_value": 1.0}, "attention_mask_value is 1.0, expected None .* or a finite negative number"),
    ({"attention_mask_value": -math.inf}, "attention_mask_value is -inf"),
    ({"add_pooling_layer": "no"}, "add_pooling_layer is 'no'"),
    ({"pruned_heads": {"0": [1]}}, "pruned_heads is .* this model does not have that"),
    ({"is_decoder": True}, "is_decoder is True"),
]


@pytest.mark.parametrize(("fields", "message"), REFUSED, ids=lambda value: str(value)[:40])
def test_values_that_cannot_be_meant(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match="ErnieMConfig: " + message):
        ErnieMConfig(**fields)


def test_every_field_survives_a_file(tmp_path: Path) -> None:
    changed = ErnieMConfig(
        implicit_mask_token_ids=(0, 1),
        implicit_mask_queries=True,
        position_offset=0,
        attention_mask_value=None,
        layer_norm_eps=1e-12,
        act_dropout=None,
        pad_token_id=None,
        add_pooling_layer=False,
        num_labels=3,
        problem_type="regression",
    )
    changed.save_pretrained(tmp_path)
    for read in (ErnieMConfig.from_pretrained(tmp_path), AutoConfig.from_pretrained(tmp_path)):
        assert type(read) is ErnieMConfig
        own = {key: value for key, value in changed.to_dict().items() if key not in ("auto_map", "_name_or_path")}
        assert {key: read.to_dict().get(key) for key in own} == own
    written = json.loads((tmp_path / "config.json").read_text())
    assert written["implicit_mask_token_ids"] == [0, 1] and written["attention_mask_value"] is None
    assert written["auto_map"]["AutoConfig"] == "configuration_ernie_m.ErnieMConfig"
    assert (tmp_path / "configuration_ernie_m.py").exists()


def test_the_ports_configuration_loads_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(PORT))
    config = AutoConfig.from_pretrained(tmp_path)
    assert type(config) is ErnieMConfig
    assert (config.layer_norm_eps, config.intermediate_size, config.num_labels) == (1e-5, 24, 3)
    assert config.id2label == {0: "no", 1: "perhaps", 2: "yes"}
    assert config.implicit_mask_token_ids == [0], "Paddle's rule; a field gives the port's"


def test_fields_given_to_from_pretrained_are_checked_when_the_model_is_built(tmp_path: Path) -> None:
    """transformers sets them after the configuration has checked its own."""
    (tmp_path / "config.json").write_text(json.dumps(PORT))
    config = ErnieMConfig.from_pretrained(tmp_path, implicit_mask_token_ids="0", attention_mask_value=None)
    assert config.attention_mask_value is None
    with pytest.raises(ValueError, match="implicit_mask_token_ids is '0'"):
        ErnieMModel(config)


def test_a_configuration_without_our_fields_is_named(tmp_path: Path) -> None:
    from transformers import BertConfig

    with pytest.raises(TypeError, match=r"BertConfig'> is not this model's ErnieMConfig: use its from_dict"):
        ErnieMModel(BertConfig(hidden_size=16, num_attention_heads=4, num_hidden_layers=1))


def test_equal_means_that_every_field_is_equal() -> None:
    assert ErnieMConfig() == ErnieMConfig()
    assert ErnieMConfig() != ErnieMConfig(hidden_size=24)
    assert ErnieMConfig() != ErnieMConfig(implicit_mask_token_ids=[])
    assert ErnieMConfig() != "ernie_m"


def test_the_ports_aliases_and_default_lists() -> None:
    config = ErnieMConfig(num_classes=4, dropout=0.3)
    assert (config.num_labels, config.classifier_dropout) == (4, 0.3)
    ErnieMConfig().implicit_mask_token_ids.append(7)
    assert ErnieMConfig().implicit_mask_token_ids == [0], "no default list is shared"
    given = [5]
    ErnieMConfig(implicit_mask_token_ids=given).implicit_mask_token_ids.append(7)
    assert given == [5], "nor the caller's"
