"""ERNIE-M in PyTorch, with the numbers of PaddleNLP 2.8.1 (`paddlenlp/transformers/ernie_m/modeling.py`).

A BERT-like encoder (arXiv 2012.15674): word + position embeddings, post-norm layers, a pooler on the first token.
This file travels with converted weights and is loaded by `trust_remote_code`; it imports torch, transformers and its
configuration, and is the same for transformers 4.57 and 5. Tensors have the names of transformers 4.57's own ErnieM.
What Paddle does otherwise than one would expect is marked "Paddle:" and is described in docs/model.md of paddle2torch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import PreTrainedModel, modeling_outputs
from transformers.activations import ACT2FN
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.utils import logging

from .configuration_ernie_m import ErnieMConfig

logger = logging.get_logger(__name__)

# Arguments that code written for other models may pass. None and False ask for nothing and are let through.
NOT_SUPPORTED = {
    "use_cache": "an encoder reads the whole text at once and has no cache",
    "past_key_values": "an encoder reads the whole text at once and has no cache",
    "encoder_hidden_states": "this model has no cross-attention",
    "encoder_attention_mask": "this model has no cross-attention",
    "head_mask": "heads cannot be masked or pruned",
    "token_type_ids": "ERNIE-M has no token types; ask the tokenizer for input_ids and attention_mask only",
}


def same_shape(shape: tuple[int, ...], wanted: tuple[int, ...], broadcast: bool = False) -> bool:
    """Whether the sizes are the same, or may be 1. Size by size: torch.compile cannot find its symbols in a tuple."""
    pairs = zip(shape, wanted)
    return len(shape) == len(wanted) and all(have == want or (broadcast and have == 1) for have, want in pairs)


def check_shape(name: str, tensor: Tensor, *expected: tuple[int, ...]) -> None:
    """Raise a ValueError unless the tensor has one of the expected shapes."""
    if not any(same_shape(tensor.shape, shape) for shape in expected):
        wanted = " or ".join(str(list(shape)) for shape in expected)
        raise ValueError(f"{name} has shape {list(tensor.shape)}, expected {wanted}.")


def is_building_graph() -> bool:
    """Whether torch is compiling, exporting or tracing: values cannot be looked at then."""
    return torch.compiler.is_compiling() or torch.jit.is_tracing()  # type: ignore[attr-defined]


def check_range(name: str, ids: Tensor, low: int, high: int, why: str) -> None:
    """Raise a ValueError unless low <= ids < high, where looking is cheap: on the CPU. (Paddle reads row -1.)"""
    if ids.device.type == "cpu" and ids.numel() > 0 and not is_building_graph():
        smallest, largest = int(ids.min()), int(ids.max())
        if smallest < low or largest >= high:
            raise ValueError(f"{name} holds {smallest} to {largest}, allowed are {low} to {high - 1} ({why}).")


def additive_mask(
    config: ErnieMConfig, attention_mask: Tensor | None, input_ids: Tensor | None, embeddings: Tensor
) -> Tensor | None:
    """What is added to the attention scores, [B or 1, heads or 1, S or 1, S]; None where nothing is hidden.

    Paddle: without an attention_mask the keys whose id is in `implicit_mask_token_ids` are hidden, by default id 0,
    which is [CLS] (inputs_embeds have no ids: nothing is hidden). With one, its rank and dtype decide:
    - [B, S], any dtype: (1 - mask) * attention_mask_value. That is -1e4 and not -inf, so a row that hides every key
      equals a row that hides none.
    - [B, S, S] or [B, 1 or heads, 1 or S, S]: bool and int by (mask - 1) * 1e9, float is added as it is.
    """
    batch, length = embeddings.shape[:2]
    dtype, heads = embeddings.dtype, config.num_attention_heads
    if attention_mask is None:
        if input_ids is None or not config.implicit_mask_token_ids:
            return None
        attention_mask = torch.stack([input_ids != hidden for hidden in config.implicit_mask_token_ids]).all(0)
    shape, full = attention_mask.shape, ((batch, length), (batch, length, length), (batch, heads, length, length))
    if not any(same_shape(shape, other, broadcast=True) for other in full) or shape[-1] != length:
        raise ValueError(
            f"attention_mask has shape {list(shape)}, expected {list(full[0])}, {list(full[1])} or {list(full[2])} "
            "(1 instead of any size but the last is broadcast)."
        )
    # Half precision cannot hold 1 - mask, 1e9 or the lowest float32: compute in float32 and fit the result.
    mask = attention_mask.to(torch.promote_types(dtype, torch.float32))
    if mask.ndim == 2:
        hide = torch.finfo(dtype).min if config.attention_mask_value is None else config.attention_mask_value
        mask = (1.0 - mask)[:, None, None, :] * hide
    elif not attention_mask.is_floating_point():
        mask = (mask - 1.0) * 1e9
    # Paddle takes the first axis of a 3-D mask for the heads, which only a batch of 1 survives. Here it is the batch.
    return fitted(mask[:, None] if mask.ndim == 3 else mask, dtype)


def fitted(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """The mask in a narrower dtype. The scores are added to it and must not reach -inf: half of the lowest number."""
    return mask if mask.dtype == dtype else mask.clamp(min=torch.finfo(dtype).min / 2).to(dtype)


class ErnieMEmbeddings(nn.Module):
    """Word + position, LayerNorm, dropout: int [B, S] (or float [B, S, H]) to float [B, S, H]."""

    def __init__(self, config: ErnieMConfig) -> None:
        super().__init__()
        self.position_offset = config.position_offset
        # No padding_idx: Paddle has none, and with one the row of [PAD] would get no gradient.
        self.word_embeddings = nn.Embedding(config.vocab_size, config.hidden_size)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, config.hidden_size)
        self.layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(
        self, input_ids: Tensor | None, position_ids: Tensor | None = None, inputs_embeds: Tensor | None = None
    ) -> Any:
        if input_ids is not None:
            words = self.word_embeddings.num_embeddings
            check_range("input_ids", input_ids, 0, words, f"the vocabulary has {words} entries")
        embeds = self.word_embeddings(input_ids) if inputs_embeds is None else inputs_embeds
        batch, length = embeds.shape[:2]
        # Paddle: 2 is added to every position, also to those that the caller gives (whose tensor stays as it is).
        rows, offset = self.position_embeddings.num_embeddings, self.position_offset
        if position_ids is not None:
            check_shape("position_ids", position_ids, (batch, length), (1, length), (length,))
            check_range("position_ids", position_ids, -offset, rows - offset, f"{offset} is added to each")
        elif length > rows - offset:
            raise ValueError(
                f"The text has {length} tokens, this model takes at most {rows - offset} ({rows} position "
                f"embeddings, the first {offset} are not used). Truncate it (max_length={rows - offset})."
            )
        positions = torch.arange(length, device=embeds.device) if position_ids is None else position_ids
        return self.dropout(self.layer_norm(embeds + self.position_embeddings(positions + offset)))


class ErnieMAttention(nn.Module):
    """Attention and its output projection: [B, S, H] to ([B, S, H], probabilities [B, heads, S, S] if asked for)."""

    def __init__(self, config: ErnieMConfig) -> None:
        super().__init__()
        self.config = config  # its attn_implementation may change after the model is made
        self.head_size = config.hidden_size // config.num_attention_heads
        # A dictionary, so that the weights have the port's names: self_attn.self_attn.q_proj.
        names = ("q_proj", "k_proj", "v_proj")
        self.self_attn = nn.ModuleDict({name: nn.Linear(config.hidden_size, config.hidden_size) for name in names})
        self.out_proj = nn.Linear(config.hidden_size, config.hidden_size)
        self.dropout = nn.Dropout(config.attention_probs_dropout_prob)

    def forward(
        self, hidden_states: Tensor, attention_mask: Tensor | None = None, output_attentions: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        query, key, value = (
            project(hidden_states).unflatten(-1, (-1, self.head_size)).transpose(1, 2)
            for project in self.self_attn.values()
        )
        if attention_mask is not None:  # under autocast the scores are narrower than the embeddings
            attention_mask = fitted(attention_mask, query.dtype)
        weights = None
        # sdpa never forms the probabilities: a call that wants to see them takes the eager way.
        if output_attentions or self.config._attn_implementation == "eager":
            scores = torch.matmul(query * self.head_size**-0.5, key.transpose(-1, -2))
            scores = scores if attention_mask is None else scores + attention_mask
            weights = self.dropout(F.softmax(scores, dim=-1))
            context = torch.matmul(weights, value)
        else:
            dropout = self.dropout.p if self.training else 0.0
            context = F.scaled_dot_product_attention(query, key, value, attention_mask, dropout)
        return self.out_proj(context.transpose(1, 2).flatten(-2)), weights if output_attentions else None


class ErnieMEncoderLayer(GradientCheckpointingLayer):
    """Attention, add, norm1, feed-forward, add, norm2: [B, S, H] to ([B, S, H], probabilities or None)."""

    def __init__(self, config: ErnieMConfig) -> None:
        super().__init__()
        self.self_attn = ErnieMAttention(config)
        self.linear1 = nn.Linear(config.hidden_size, config.intermediate_size)
        self.activation = ACT2FN[config.hidden_act]
        # Paddle has no dropout here (0.0); the field is for those who trained with the port's.
        self.dropout = nn.Dropout(config.hidden_dropout_prob if config.act_dropout is None else config.act_dropout)
        self.linear2 = nn.Linear(config.intermediate_size, config.hidden_size)
        self.norm1 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.norm2 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout1 = nn.Dropout(config.hidden_dropout_prob)
        self.dropout2 = nn.Dropout(config.hidden_dropout_prob)

    def forward(
        self, hidden_states: Tensor, attention_mask: Tensor | None = None, output_attentions: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        attended, weights = self.self_attn(hidden_states, attention_mask, output_attentions)
        hidden_states = self.norm1(hidden_states + self.dropout1(attended))
        widened = self.dropout(self.activation(self.linear1(hidden_states)))
        return self.norm2(hidden_states + self.dropout2(self.linear2(widened))), weights


class ErnieMEncoder(nn.Module):
    """All layers: the last state [B, S, H], and where asked for all states (the embeddings first) and probabilities."""

    def __init__(self, config: ErnieMConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(ErnieMEncoderLayer(config) for _ in range(config.num_hidden_layers))

    def forward(
        self, hidden_states: Tensor, attention_mask: Tensor | None, output_attentions: bool, output_hidden_states: bool
    ) -> modeling_outputs.BaseModelOutput:
        states: Any = (hidden_states,) if output_hidden_states else None
        attentions: Any = () if output_attentions else None
        for layer in self.layers:
            hidden_states, weights = layer(hidden_states, attention_mask, output_attentions)
            if output_hidden_states:
                states += (hidden_states,)
            if output_attentions:
                attentions += (weights,)
        return modeling_outputs.BaseModelOutput(hidden_states, states, attentions)


class ErnieMPooler(nn.Module):
    """tanh of a linear map of the first token: [B, S, H] to [B, H]."""

    def __init__(self, config: ErnieMConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, hidden_states: Tensor) -> Tensor:
        return torch.tanh(self.dense(hidden_states[:, 0]))


class ErnieMPreTrainedModel(PreTrainedModel):
    """What all classes share: how weights are made, and what transformers may do with the model."""

    config: ErnieMConfig
    config_class = ErnieMConfig
    base_model_prefix = "ernie_m"
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    # For device_map: a sum of two parts cannot be on two devices.
    _no_split_modules = ["ErnieMEmbeddings", "ErnieMEncoderLayer"]  # noqa: RUF012
    # The losses are plain means; without this the Trainer would take **extra for a promise to use its batch sizes.
    accepts_loss_kwargs = False

    def __init__(self, config: ErnieMConfig, *inputs: Any, **kwargs: Any) -> None:
        if not hasattr(config, "check_values"):
            raise TypeError(
                f"config is a {type(config).__module__}.{type(config).__name__}, which lacks this model's fields; "
                "use ErnieMConfig.from_dict(config.to_dict()) with the ErnieMConfig that comes with this model."
            )
        config.check_values()
        super().__init__(config, *inputs, **kwargs)

    def _init_weights(self, module: nn.Module) -> None:
        # Through nn.init, which transformers 5 guards so that loaded weights are not made anew.
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, mean=0.0, std=self.config.initializer_range)
        elif isinstance(module, nn.LayerNorm):
            nn.init.ones_(module.weight)
        if isinstance(module, (nn.Linear, nn.LayerNorm)) and module.bias is not None:
            nn.init.zeros_(module.bias)

    def _returned(self, output: Any, return_dict: bool | None) -> Any:
        """The output, or the tuple of what it holds (Paddle gives a bare tensor where that tuple has one element)."""
        return output if (self.config.return_dict if return_dict is None else return_dict) else output.to_tuple()

    @classmethod
    def _can_set_attn_implementation(cls) -> bool:
        return True  # transformers guesses it from words in the source

    def prune_heads(self, heads_to_prune: dict[int, list[int]]) -> None:
        raise NotImplementedError("ErnieM: heads cannot be pruned, no Paddle model could have such weights.")


class ErnieMModel(ErnieMPreTrainedModel):
    """The encoder with its pooler (`add_pooling_layer`, by default as the configuration says)."""

    def __init__(self, config: ErnieMConfig, add_pooling_layer: bool | None = None) -> None:
        super().__init__(config)
        with_pooler = config.add_pooling_layer if add_pooling_layer is None else add_pooling_layer
        self.embeddings = ErnieMEmbeddings(config)
        self.encoder = ErnieMEncoder(config)
        self.pooler = ErnieMPooler(config) if with_pooler else None
        self._looked_for_padding = False
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.word_embeddings

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.embeddings.word_embeddings = value  # type: ignore[assignment]

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        **extra: Any,
    ) -> Any:
        """Encode texts: input_ids int [B, S], or inputs_embeds float [B, S, H]; S is at most 512.

        attention_mask: 1 for keys to look at, [B, S] or as `additive_mask` says. position_ids: int [B, S], [1, S] or
        [S], from 0. Returns last_hidden_state [B, S, H], pooler_output [B, H] if there is a pooler, and where asked for
        hidden_states (the embeddings, then each layer) and attentions (probabilities [B, heads, S, S] of each layer).
        ValueError: wrong shapes, too many tokens, ids outside the tables (CPU only), unsupported arguments.
        """
        for name, value in extra.items():
            if name not in NOT_SUPPORTED:
                raise TypeError(f"forward() got an unexpected keyword argument {name!r}")
            if value is not None and value is not False:
                raise ValueError(f"{name} is not supported: {NOT_SUPPORTED[name]}.")
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("Give input_ids or inputs_embeds, and not both.")
        for name, given, rank in (("input_ids", input_ids, "[B, S]"), ("inputs_embeds", inputs_embeds, "[B, S, H]")):
            if given is not None and (given.ndim != rank.count(",") + 1 or given.shape[1] == 0):
                raise ValueError(f"{name} has shape {list(given.shape)}, expected {rank} with at least one token.")
        if attention_mask is None and input_ids is not None:
            self._warn_of_padding(input_ids)
        embeddings = self.embeddings(input_ids, position_ids, inputs_embeds)
        encoded = self.encoder(
            embeddings,
            additive_mask(self.config, attention_mask, input_ids, embeddings),
            self.config.output_attentions if output_attentions is None else output_attentions,
            self.config.output_hidden_states if output_hidden_states is None else output_hidden_states,
        )
        last = encoded.last_hidden_state
        pooled = None if self.pooler is None else self.pooler(last)
        output = modeling_outputs.BaseModelOutputWithPooling(last, pooled, encoded.hidden_states, encoded.attentions)
        return self._returned(output, return_dict)

    def _warn_of_padding(self, input_ids: Tensor) -> None:
        """Warn once that without a mask the numbers depend on the padding, as they do in Paddle."""
        pad, hidden = self.config.pad_token_id, self.config.implicit_mask_token_ids
        if self._looked_for_padding or pad is None or pad in hidden or is_building_graph():
            return
        # On an accelerator looking means waiting for it, so only the first call looks.
        self._looked_for_padding = input_ids.device.type != "cpu"
        if input_ids.device.type != "meta" and bool((input_ids == pad).any()):
            self._looked_for_padding = True
            logger.warning(
                f"ErnieM: input_ids hold [PAD] ({pad}) and there is no attention_mask. As in PaddleNLP, padding is "
                f"attended to and only ids {hidden} are hidden, so the numbers depend on the padding. "
                "Set implicit_mask_token_ids=[0, 1] for Paddle's unpadded numbers, or pass a mask."
            )


class ErnieMLabelHead(ErnieMPreTrainedModel):
    """What the classes with `labels` share: dropout and a linear layer on the pooled output or on every token."""

    on_pooled = True
    width: int | None = None  # of the linear layer; None is num_labels
    output_class: type[Any]

    def __init__(self, config: ErnieMConfig) -> None:
        super().__init__(config)
        self.num_labels: int = self.width or config.num_labels  # type: ignore[assignment]
        self.ernie_m = ErnieMModel(config, add_pooling_layer=self.on_pooled)
        dropout = config.hidden_dropout_prob if config.classifier_dropout is None else config.classifier_dropout
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(config.hidden_size, self.num_labels)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        **extra: Any,
    ) -> Any:
        """Inputs as ErnieMModel's, `labels` as the class says; loss if labels, logits, hidden_states, attentions."""
        texts, shape = self._texts(input_ids, attention_mask, position_ids, inputs_embeds)
        encoded = self.ernie_m(*texts, output_attentions, output_hidden_states, True, **extra)
        logits = self.classifier(self.dropout(encoded.pooler_output if self.on_pooled else encoded.last_hidden_state))
        logits = logits if shape is None else logits.view(shape)
        loss = None if labels is None else self._loss(logits, labels)
        output = self.output_class(loss, logits, encoded.hidden_states, encoded.attentions)
        return self._returned(output, return_dict)

    def _texts(self, *texts: Tensor | None) -> tuple[tuple[Tensor | None, ...], tuple[int, ...] | None]:
        """The first four arguments as the encoder takes them, and the shape of the logits if it is another."""
        return texts, None

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Cross entropy with one class for each row of the logits; -100 is left out of the mean."""
        rows = tuple(logits.shape[:-1])
        check_shape("labels", labels, rows, (*rows, 1))
        return F.cross_entropy(logits.flatten(0, -2), labels.reshape(-1).long())


class ErnieMForSequenceClassification(ErnieMLabelHead):
    """A class, several labels at once, or numbers for a text: logits [B, num_labels].

    labels: classes [B], or numbers for "regression" and "multi_label_classification" [B, num_labels]. The loss follows
    config.problem_type, which the first call with labels sets where it is None.
    """

    output_class = modeling_outputs.SequenceClassifierOutput

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        if self.config.problem_type is None:  # kept in the configuration, where pipelines look for it
            kind = "single_label" if labels.dtype in (torch.int64, torch.int32) else "multi_label"
            kind = "regression" if self.num_labels == 1 else f"{kind}_classification"
            self.config.problem_type = kind  # type: ignore[assignment]
        if self.config.problem_type == "single_label_classification":
            return super()._loss(logits, labels)
        shape = tuple(logits.shape)
        check_shape("labels", labels, shape, *([shape[:1]] if self.num_labels == 1 else []))
        labels = labels.reshape(shape).to(logits.dtype)
        if self.config.problem_type == "regression":
            return F.mse_loss(logits, labels)
        return F.binary_cross_entropy_with_logits(logits, labels)


class ErnieMForTokenClassification(ErnieMLabelHead):
    """A class for every token: logits [B, S, num_labels], labels int [B, S], -100 is left out of the mean."""

    on_pooled = False
    output_class = modeling_outputs.TokenClassifierOutput


class ErnieMForMultipleChoice(ErnieMLabelHead):
    """One of several texts: input_ids int [B, choices, S], logits [B, choices], labels int [B].

    inputs_embeds [B, choices, S, H], position_ids [B, choices, S], and attention_mask [B, choices, ...] with what
    ErnieMModel takes behind. A mask with one number for each token is a 2-D mask, whatever its rank (Paddle).
    """

    width = 1
    output_class = modeling_outputs.MultipleChoiceModelOutput

    def _texts(self, *texts: Tensor | None) -> tuple[tuple[Tensor | None, ...], tuple[int, ...] | None]:
        input_ids, mask, position_ids, inputs_embeds = texts
        given = inputs_embeds if input_ids is None else input_ids
        if given is None or given.ndim != (4 if input_ids is None else 3):
            found = "are missing" if given is None else f"have shape {list(given.shape)}"
            raise ValueError(f"The inputs {found}, expected [B, choices, S], or [B, choices, S, H] for inputs_embeds.")
        choices, length = tuple(given.shape[:2]), given.shape[2]
        if mask is not None and mask.numel() == given.shape[:3].numel():
            mask = mask.reshape(-1, length)
        elif mask is not None and mask.shape[:2] == choices:
            mask = mask.flatten(0, 1)
        if position_ids is not None and position_ids.ndim == 3:
            position_ids = position_ids.flatten(0, 1)
        ids, embeds = (None if tensor is None else tensor.flatten(0, 1) for tensor in (input_ids, inputs_embeds))
        return (ids, mask, position_ids, embeds), choices


class ErnieMSpanHead(ErnieMPreTrainedModel):
    """What the classes for parts of a text share: start_logits and end_logits [B, S], and the mean of both losses."""

    ernie_m: ErnieMModel
    _logits: Callable[[Tensor], tuple[Tensor, Tensor]]
    _loss: Callable[[str, Tensor, Tensor], Tensor]

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        **extra: Any,
    ) -> Any:
        """Inputs as ErnieMModel's, the positions (both or neither) as the class says."""
        texts = (input_ids, attention_mask, position_ids, inputs_embeds)
        encoded = self.ernie_m(*texts, output_attentions, output_hidden_states, True, **extra)
        start_logits, end_logits = self._logits(encoded.last_hidden_state)
        if (start_positions is None) != (end_positions is None):
            raise ValueError("Give both start_positions and end_positions, or neither.")
        loss = None
        if start_positions is not None and end_positions is not None:
            start_loss = self._loss("start_positions", start_logits, start_positions)
            loss = (start_loss + self._loss("end_positions", end_logits, end_positions)) / 2
        output = modeling_outputs.QuestionAnsweringModelOutput(
            loss, start_logits, end_logits, encoded.hidden_states, encoded.attentions
        )
        return self._returned(output, return_dict)


class ErnieMForQuestionAnswering(ErnieMSpanHead):
    """The first and the last token of an answer. Positions int [B], clamped to 0..S; S is left out of the mean."""

    def __init__(self, config: ErnieMConfig) -> None:
        super().__init__(config)
        if config.num_labels != 2:
            raise ValueError(f"ErnieMForQuestionAnswering: num_labels is {config.num_labels}, expected 2 (start, end).")
        self.ernie_m = ErnieMModel(config, add_pooling_layer=False)
        self.qa_outputs = nn.Linear(config.hidden_size, 2)  # Paddle calls it classifier
        self.post_init()

    def _logits(self, hidden_states: Tensor) -> Any:
        return self.qa_outputs(hidden_states).unbind(-1)

    def _loss(self, name: str, logits: Tensor, positions: Tensor) -> Tensor:
        batch, length = logits.shape
        check_shape(name, positions, (batch,), (batch, 1))
        return F.cross_entropy(logits, positions.reshape(-1).long().clamp(0, length), ignore_index=length)


class ErnieMForInformationExtraction(ErnieMSpanHead):
    """UIE-M: for every token, whether an answer starts or ends there. Positions [B, S], 1 where it does, else 0.

    Logits, as in the port. Paddle's UIEM returns probabilities: the sigmoid of these.
    """

    def __init__(self, config: ErnieMConfig) -> None:
        super().__init__(config)
        self.ernie_m = ErnieMModel(config)
        self.linear_start = nn.Linear(config.hidden_size, 1)
        self.linear_end = nn.Linear(config.hidden_size, 1)
        self.post_init()

    def _logits(self, hidden_states: Tensor) -> tuple[Tensor, Tensor]:
        return self.linear_start(hidden_states).squeeze(-1), self.linear_end(hidden_states).squeeze(-1)

    def _loss(self, name: str, logits: Tensor, targets: Tensor) -> Tensor:
        check_shape(name, targets, tuple(logits.shape))
        return F.binary_cross_entropy_with_logits(logits, targets.to(logits.dtype))


# So that save_pretrained copies this file beside the weights. Information extraction has no Auto class of its own.
for _name in ("SequenceClassification", "MultipleChoice", "TokenClassification", "QuestionAnswering"):
    globals()[f"ErnieMFor{_name}"].register_for_auto_class(f"AutoModelFor{_name}")
ErnieMModel.register_for_auto_class()
ErnieMForInformationExtraction.register_for_auto_class()
