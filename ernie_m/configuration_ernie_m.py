"""The configuration of ERNIE-M in PyTorch: sizes, and the choices in which Paddle differs from what one would expect.

This file travels with converted weights and is loaded by `trust_remote_code`; it imports transformers and nothing else,
and is the same for transformers 4.57 and 5.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import transformers
from transformers import PretrainedConfig

# Before anything that older releases do not have. The tokenizer, which is loaded without this file, asks the same.
if tuple(map(int, transformers.__version__.split(".")[:2])) < (4, 57):
    raise ImportError(f"ERNIE-M needs transformers 4.57 or newer, this is {transformers.__version__}.")

# Paddle keeps the epsilon of a LayerNorm as a float32, also when the model computes in float64.
PADDLE_LAYER_NORM_EPS = 9.999999747378752e-06

# The names that mean the same function to `paddle.nn.functional` and to transformers' ACT2FN.
ACTIVATIONS = ("gelu", "relu", "tanh", "silu", "swish", "mish", "leaky_relu", "relu6", "sigmoid")


class ErnieMConfig(PretrainedConfig):
    """What an ERNIE-M model is made of. The defaults are those of `ernie-m-base` in Paddle.

    The usual fields: `vocab_size`, `hidden_size`, `num_hidden_layers`, `num_attention_heads`, `intermediate_size`
    (None: 4 x hidden_size, the only width that Paddle knows), `hidden_act` (one of ACTIVATIONS), `hidden_dropout_prob`,
    `attention_probs_dropout_prob`, `max_position_embeddings` (rows of the table, `position_offset` of them are before
    the first token), `initializer_range`, `pad_token_id`, `classifier_dropout` (None: hidden_dropout_prob),
    `num_labels` / `id2label` / `problem_type` as everywhere in transformers.

    The fields that name a habit of Paddle, so that it can be turned off:

    - `implicit_mask_token_ids`: keys with these ids are hidden when a call has no attention_mask. `[0]` is PaddleNLP's
      rule (it hides [CLS]), `[0, 1]` gives Paddle's unpadded numbers for padded batches, `[1]` is the rule of
      transformers 4.57's port and of the 2021 release, `[]` hides nothing.
    - `implicit_mask_queries`: True, and without an attention_mask the rows of those ids have every key hidden, which
      leaves them seeing all keys alike: the rule of Baidu's ERNIEKit, whose mask is the outer product of `ids != 0`.
    - `position_offset`: added to every position id, Paddle's 2 (ERNIEKit's 0).
    - `attention_mask_value`: what a 2-D mask (and the implicit one) adds to the score of a hidden key, Paddle's
      -10000.0; None is the lowest number of the model's dtype, as in the port.
    - `layer_norm_eps`: Paddle's float32(1e-5).

    `tie_word_embeddings`: the masked LM's decoder is the table of words, as in the release.

    And two that a Paddle model does not need: `act_dropout`, the dropout between linear1 and linear2, which only the
    port has (None: hidden_dropout_prob), and `add_pooling_layer`, False for weights without a pooler.

    Raises a ValueError that names the field, the value and what was expected.
    """

    model_type = "ernie_m"
    # In 4.57 a field of the base class, in 5 of none; written only where it is False.
    tie_word_embeddings = True
    # The port's two aliases, so that its configurations and the code around them keep working.
    attribute_map: ClassVar[dict[str, str]] = {"dropout": "classifier_dropout", "num_classes": "num_labels"}

    def __init__(
        self,
        vocab_size: int = 250002,
        hidden_size: int = 768,
        num_hidden_layers: int = 12,
        num_attention_heads: int = 12,
        intermediate_size: int | None = None,
        hidden_act: str = "gelu",
        hidden_dropout_prob: float = 0.1,
        attention_probs_dropout_prob: float = 0.1,
        max_position_embeddings: int = 514,
        initializer_range: float = 0.02,
        pad_token_id: int | None = 1,
        layer_norm_eps: float = PADDLE_LAYER_NORM_EPS,
        classifier_dropout: float | None = None,
        act_dropout: float | None = 0.0,
        implicit_mask_token_ids: list[int] | tuple[int, ...] = (0,),
        implicit_mask_queries: bool = False,
        position_offset: int = 2,
        attention_mask_value: float | None = -10000.0,
        add_pooling_layer: bool = True,
        **kwargs: Any,
    ) -> None:
        dropout = kwargs.pop("dropout", None)  # the alias of classifier_dropout
        super().__init__(**kwargs)
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.num_hidden_layers = num_hidden_layers
        self.num_attention_heads = num_attention_heads
        self.intermediate_size = 4 * hidden_size if intermediate_size is None else intermediate_size
        self.hidden_act = hidden_act
        self.hidden_dropout_prob = hidden_dropout_prob
        self.attention_probs_dropout_prob = attention_probs_dropout_prob
        self.max_position_embeddings = max_position_embeddings
        self.initializer_range = initializer_range
        # transformers 5 has no pad_token_id in its base class, 4.57 sets it to None there: ours comes after both.
        self.pad_token_id = pad_token_id
        self.layer_norm_eps = layer_norm_eps
        self.classifier_dropout = dropout if classifier_dropout is None else classifier_dropout
        self.act_dropout = act_dropout
        self.implicit_mask_token_ids = (
            list(implicit_mask_token_ids)
            if isinstance(implicit_mask_token_ids, (list, tuple))
            else implicit_mask_token_ids
        )
        self.implicit_mask_queries = implicit_mask_queries
        self.position_offset = position_offset
        self.attention_mask_value = attention_mask_value
        self.add_pooling_layer = add_pooling_layer
        self.check_values()

    def check_values(self) -> None:
        """Raise a ValueError for the first field whose value cannot be meant.

        The model calls it too: `from_pretrained(folder, field=value)` sets fields after `__init__`.
        """
        for name in ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size"):
            self._require(name, _is_int(getattr(self, name), 1), "a whole number, 1 or more")
        self._require("max_position_embeddings", _is_int(self.max_position_embeddings, 1), "a whole number, 1 or more")
        self._require(
            "num_attention_heads",
            self.hidden_size % self.num_attention_heads == 0,
            f"a divisor of hidden_size, which is {self.hidden_size}",
        )
        self._require("hidden_act", self.hidden_act in ACTIVATIONS, "one of " + ", ".join(ACTIVATIONS))
        for name in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
            self._require(name, _is_real(getattr(self, name), 0.0, 1.0), "a probability between 0 and 1")
        for name in ("classifier_dropout", "act_dropout"):
            value = getattr(self, name)
            self._require(name, value is None or _is_real(value, 0.0, 1.0), "None or a probability between 0 and 1")
        self._require("initializer_range", _is_real(self.initializer_range, 0.0), "a number, 0 or more")
        self._require("layer_norm_eps", _is_real(self.layer_norm_eps, 0.0), "a number, 0 or more")
        self._require(
            "pad_token_id",
            self.pad_token_id is None or (_is_int(self.pad_token_id, 0) and self.pad_token_id < self.vocab_size),
            f"None or an id below vocab_size, which is {self.vocab_size}",
        )
        self._require(
            "implicit_mask_token_ids",
            isinstance(self.implicit_mask_token_ids, list) and all(_is_int(i, 0) for i in self.implicit_mask_token_ids),
            "a list of token ids such as [0], [0, 1] or []",
        )
        self._require(
            "position_offset",
            _is_int(self.position_offset, 0) and self.position_offset < self.max_position_embeddings,
            f"a whole number from 0 to max_position_embeddings - 1, which is {self.max_position_embeddings - 1}",
        )
        self._require(
            "attention_mask_value",
            self.attention_mask_value is None or _is_real(self.attention_mask_value, -math.inf, 0.0),
            "None (the lowest number of the dtype) or a finite negative number",
        )
        self._require("implicit_mask_queries", isinstance(self.implicit_mask_queries, bool), "True or False")
        self._require("add_pooling_layer", isinstance(self.add_pooling_layer, bool), "True or False")
        for name in ("pruned_heads", "is_decoder", "add_cross_attention"):
            self._require(name, not getattr(self, name, None), "empty or False: this model does not have that")

    def __eq__(self, other: object) -> bool:
        # transformers 5 makes dataclasses of its configurations and compares only the fields of the base class.
        return type(other) is type(self) and self.__dict__ == other.__dict__

    def _require(self, name: str, condition: bool, expected: str) -> None:
        if not condition:
            raise ValueError(f"ErnieMConfig: {name} is {getattr(self, name)!r}, expected {expected}.")


def _is_int(value: Any, low: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= low


def _is_real(value: Any, low: float, high: float = math.inf) -> bool:
    return (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and math.isfinite(value)
        and low <= value <= high
    )


# So that save_pretrained copies this file beside the configuration.
ErnieMConfig.register_for_auto_class()

__all__ = ["ErnieMConfig"]
